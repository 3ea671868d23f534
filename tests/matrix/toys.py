"""Breakers that are each wrong in one way: they show that every scenario can fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from toy import Right, ToyBreaker
from toy_circuit import Circuit, Ticket

from benches.matrix.adapter import Boom, Breaker, Function, Settings


class _Stampede(Circuit):
    def allowed(self) -> int:
        return 1000


class Stampede(Right):
    """Half-open lets everybody in."""

    circuit = _Stampede


class _Forgetful(Circuit):
    def is_late(self, ticket: Ticket) -> bool:
        return False


class Forgetful(Right):
    """Knows no generations."""

    circuit = _Forgetful


class _Cancelled(Circuit):
    def verdict(self, error: BaseException | None) -> bool | None:
        return not isinstance(error, Exception) or super().verdict(error)


class Cancelled(Right):
    """Takes a cancelled call for a success."""

    circuit = _Cancelled


class _Everything(Circuit):
    def verdict(self, error: BaseException | None) -> bool | None:
        return error is None


class Everything(Right):
    """Counts whatever is raised."""

    circuit = _Everything


class _Diluting(Circuit):
    def turned_away(self) -> None:
        self.rejected = getattr(self, "rejected", 0) + 1

    def trips(self) -> bool:
        failures = self.recent.count(False)
        return failures / (len(self.recent) + getattr(self, "rejected", 0)) >= 0.75


class Diluting(Right):
    """Counts rejected calls into its failure rate."""

    circuit = _Diluting


class _Wall(Circuit):
    def now(self) -> float:
        return self.clock.time()


class Wall(Right):
    """Measures with the wall clock."""

    circuit = _Wall


class _Lost(Circuit):
    def acquire(self) -> Ticket:
        ticket = super().acquire()
        ticket.at += 1e9
        return ticket


class Lost(Right):
    """Waits for a lost probe for ever."""

    circuit = _Lost


class _Locked(ToyBreaker):
    def __init__(self, circuit: Circuit) -> None:
        super().__init__(circuit)
        self.one = threading.RLock()

    def run(self, make: Callable[[], Any]) -> Any:
        with self.one:
            return super().run(make)


class Locked(Right):
    """Holds a lock during the call."""

    kinds = ("sync",)
    breaker = _Locked


class _Eager(ToyBreaker):
    async def adopt(self, make: Callable[[], Any]) -> Any:
        coroutine = make()
        ticket = self.circuit.acquire()
        return await self.until_done(ticket, lambda: coroutine)


class Eager(Right):
    """Makes the coroutine before it asks whether it may run."""

    kinds = ("async",)
    breaker = _Eager


class _Loopy(ToyBreaker):
    def protect(self, function: Function) -> Function:
        asyncio.get_running_loop()
        return super().protect(function)


class Loopy(Right):
    """Needs a running loop to decorate."""

    kinds = ("async",)
    breaker = _Loopy


class _Plain(ToyBreaker):
    def protect(self, function: Function) -> Function:
        protected = super().protect(function)
        return lambda *args: protected(*args)


class Plain(Right):
    """Makes plain functions of coroutine functions."""

    breaker = _Plain


class _Swallowing(ToyBreaker):
    def protect(self, function: Function) -> Function:
        return function


class Unprotected(Right):
    """Decorates and does nothing."""

    breaker = _Swallowing


class Hanging(Right):
    """Never comes back."""

    def make(self, settings: Settings) -> Breaker:
        threading.Event().wait()
        raise Boom


class Crashing(Right):
    """Fails in a way that nobody asked for."""

    def make(self, settings: Settings) -> Breaker:
        raise OSError("no such device")


class Missing(Right):
    """Is not there."""

    module = "surely_not_installed"
