"""A breaker that is right, and breakers that are each wrong in one way.

The right one shows that every scenario can be passed; each wrong one, that a scenario can fail.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from benches.matrix.adapter import Adapter, Boom, Breaker, Function, Settings
from benches.matrix.clock import PatchedClock

LEASE = 60.0


class ToyOpenError(Exception):
    """Rejected."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("open")
        self.retry_after = retry_after


@dataclass(eq=False)
class Ticket:
    """One admission."""

    generation: int
    at: float


@dataclass
class Circuit:
    """The state machine; a subclass spoils one rule of it."""

    settings: Settings
    clock: PatchedClock
    word: str = "closed"
    generation: int = 0
    opened_at: float = 0.0
    probes: list[Ticket] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)
    inside: int = 0

    def __post_init__(self) -> None:
        rate = self.settings.rate
        self.recent: deque[bool] = deque(maxlen=rate.window if rate else self.settings.threshold)

    def now(self) -> float:
        return self.clock.monotonic()

    def move(self, word: str) -> None:
        self.word, self.generation = word, self.generation + 1
        self.probes.clear()
        self.recent.clear()
        self.opened_at = self.now()

    def acquire(self) -> Ticket:
        ticket = self.admit()
        self.inside += 1
        return ticket

    def admit(self) -> Ticket:
        with self.lock:
            left = self.opened_at + self.settings.recovery - self.now()
            if self.word == "open" and left <= 0:
                self.move("half_open")
            if self.word == "half_open":
                self.probes = [p for p in self.probes if self.now() - p.at < LEASE]
                if len(self.probes) < self.allowed():
                    self.probes.append(Ticket(self.generation, self.now()))
                    return self.probes[-1]
            if self.word != "closed":
                self.turned_away()
                raise ToyOpenError(max(left, 0.0))
            return Ticket(self.generation, self.now())

    def allowed(self) -> int:
        return self.settings.half_open

    def turned_away(self) -> None:
        pass

    def is_late(self, ticket: Ticket) -> bool:
        return ticket.generation != self.generation

    def verdict(self, error: BaseException | None) -> bool | None:
        """True a success, False a failure, None neither."""
        if error is None:
            return True
        return False if self.settings.is_failure(error) else None

    def settle(self, ticket: Ticket, error: BaseException | None, took: float = 0.0) -> None:
        with self.lock:
            self.inside -= 1
            good = self.verdict(error)
            if self.settings.slow is not None and took >= self.settings.slow:
                good = False
            if self.is_late(ticket):
                return
            if self.word == "half_open":
                if good is None:
                    self.probes = [p for p in self.probes if p is not ticket]
                else:
                    self.move("closed" if good else "open")
            elif good is not None:
                self.recent.append(good)
                if self.trips():
                    self.move("open")

    def trips(self) -> bool:
        failures = self.recent.count(False)
        if (rate := self.settings.rate) is None:
            return failures == self.settings.threshold
        return len(self.recent) >= rate.min_calls and failures / len(self.recent) >= rate.failures


class Stay:
    """What a generator is judged by, from its first item to its end."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.ticket = circuit.acquire()
        self.thrown: BaseException | None = None
        self.error: BaseException | None = None
        self.slowest = 0.0

    def step(self, step: Callable[[], Any]) -> Any:
        began = self.circuit.now()
        try:
            return step()
        except BaseException as error:
            self.judge(error)
            raise
        finally:
            self.slowest = max(self.slowest, self.circuit.now() - began)

    async def async_step(self, step: Callable[[], Any]) -> Any:
        try:
            return await step()
        except BaseException as error:
            self.judge(error)
            raise

    def judge(self, error: BaseException) -> None:
        if not isinstance(error, StopIteration | StopAsyncIteration) and error is not self.thrown:
            self.error = error

    def end(self) -> None:
        self.circuit.settle(self.ticket, self.error, self.slowest)


class ToyBlock:
    """One entry."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit

    def __enter__(self) -> None:
        self.ticket = self.circuit.acquire()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.circuit.settle(self.ticket, error)
        return False

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return self.__exit__(kind, error, trace)


class ToyBreaker(Breaker):
    """The face of a circuit."""

    open_error = ToyOpenError

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit

    def state(self) -> str:
        return self.circuit.word

    def in_flight(self) -> int:
        return self.circuit.inside

    def block(self) -> Any:
        return ToyBlock(self.circuit)

    def async_block(self) -> Any:
        return ToyBlock(self.circuit)

    def force_open(self) -> None:
        with self.circuit.lock:
            self.circuit.move("open")

    def protect(self, function: Function) -> Function:
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def protected_generator(*args: Any) -> Any:
                return (yield from self.generate(function(*args)))

            return protected_generator
        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def protected_async_generator(*args: Any) -> Any:
                generator = self.generate_async(function(*args))
                sent = None
                try:
                    item = await anext(generator)
                    while True:
                        try:
                            sent = yield item
                        except GeneratorExit:
                            raise
                        except BaseException as error:
                            item = await generator.athrow(error)
                        else:
                            item = await generator.asend(sent)
                except StopAsyncIteration:
                    return
                finally:
                    await generator.aclose()

            return protected_async_generator
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def protected(*args: Any) -> Any:
                return await self.adopt(lambda: function(*args))

            return protected

        @functools.wraps(function)
        def protected_sync(*args: Any) -> Any:
            return self.run(lambda: function(*args))

        return protected_sync

    def call(self, function: Function) -> Any:
        return self.protect(function)()

    def generate(self, inner: Any) -> Generator[Any, Any, Any]:
        stay = Stay(self.circuit)
        try:
            step: Callable[[], Any] = lambda: next(inner)  # noqa: E731
            while True:
                try:
                    item = stay.step(step)
                except StopIteration as stop:
                    return stop.value
                try:
                    sent = yield item
                    step = functools.partial(inner.send, sent)
                except GeneratorExit:
                    inner.close()
                    raise
                except BaseException as error:
                    stay.thrown = error
                    step = functools.partial(inner.throw, error)
        finally:
            stay.end()

    async def generate_async(self, inner: Any) -> AsyncGenerator[Any, Any]:
        stay = Stay(self.circuit)
        try:
            step: Callable[[], Any] = inner.__anext__
            while True:
                try:
                    item = await stay.async_step(step)
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                    step = functools.partial(inner.asend, sent)
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:
                    stay.thrown = error
                    step = functools.partial(inner.athrow, error)
        finally:
            stay.end()

    async def adopt(self, make: Callable[[], Any]) -> Any:
        ticket = self.circuit.acquire()
        return await self.until_done(ticket, make)

    async def until_done(self, ticket: Ticket, make: Callable[[], Any]) -> Any:
        try:
            result = await make()
        except BaseException as error:
            self.circuit.settle(ticket, error)
            raise
        self.circuit.settle(ticket, None)
        return result

    def run(self, make: Callable[[], Any]) -> Any:
        ticket = self.circuit.acquire()
        try:
            result = make()
        except BaseException as error:
            self.circuit.settle(ticket, error)
            raise
        if inspect.isawaitable(result):
            return self.until_done(ticket, lambda: result)
        self.circuit.settle(ticket, None)
        return result


class Right(Adapter):
    """Right in everything that is no convention."""

    name = "toy"
    module = "toys"
    limits_probes = True
    has_rates = True
    has_slow_calls = True
    circuit: ClassVar[type[Circuit]] = Circuit
    breaker: ClassVar[type[ToyBreaker]] = ToyBreaker

    def patch(self, clock: PatchedClock) -> None:
        self.time = clock

    def make(self, settings: Settings) -> Breaker:
        return self.breaker(self.circuit(settings, self.time))

    def named(self, name: str, settings: Settings) -> Breaker:
        return self.make(settings)

    def shared(self, settings: Settings, server: Any) -> Breaker:
        server.toy = getattr(server, "toy", None) or self.circuit(settings, self.time)
        return self.breaker(server.toy)


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
        time.sleep(3600)
        raise Boom


class Crashing(Right):
    """Fails in a way that nobody asked for."""

    def make(self, settings: Settings) -> Breaker:
        raise OSError("no such device")


class Missing(Right):
    """Is not there."""

    module = "surely_not_installed"
