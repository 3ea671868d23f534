"""Breakers that are each wrong in one way about generators, blocks or cancellation."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Any

from toy import Right, Stay, ToyBlock, ToyBreaker
from toy_circuit import Circuit, Ticket

from benches.matrix.adapter import Function


class _Made(ToyBreaker):
    def protect(self, function: Function) -> Function:
        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            def made(*args: Any) -> Any:
                self.circuit.settle(self.circuit.acquire(), None)
                return function(*args)

            return made
        return super().protect(function)

    def generate(self, inner: Any) -> Generator[Any, Any, Any]:
        try:
            item = next(inner)
        except StopIteration:
            return
        stay = Stay(self.circuit)
        try:
            while True:
                yield item
                item = stay.step(lambda: next(inner))
        except StopIteration:
            return
        finally:
            stay.end()


class Made(Right):
    """Sees a generator from its second item on, and forgets what it answers."""

    breaker = _Made


class _Breaking(ToyBreaker):
    def generate(self, inner: Any) -> Generator[Any, Any, Any]:
        stay = Stay(self.circuit)
        try:
            while True:
                try:
                    item = stay.step(lambda: next(inner))
                except StopIteration:
                    return
                yield item
        except BaseException as error:
            stay.error = RuntimeError(repr(error))
            raise
        finally:
            stay.end()

    async def generate_async(self, inner: Any) -> AsyncGenerator[Any, Any]:
        stay = Stay(self.circuit)
        try:
            while True:
                try:
                    item = await stay.async_step(inner.__anext__)
                except StopAsyncIteration:
                    return
                yield item
        except BaseException as error:
            stay.error = RuntimeError(repr(error))
            raise
        finally:
            stay.end()


class Breaking(Right):
    """Counts whatever happens at a `yield`, and hands nothing on to it."""

    breaker = _Breaking


class _Timing(ToyBreaker):
    def generate(self, inner: Any) -> Generator[Any, Any, Any]:
        began = self.circuit.now()
        ticket = self.circuit.acquire()
        try:
            return (yield from inner)
        finally:
            self.circuit.settle(ticket, None, self.circuit.now() - began)


class Timing(Right):
    """Measures a generator from its first item to its end."""

    breaker = _Timing


class _Holding(ToyBreaker):
    def __init__(self, circuit: Circuit) -> None:
        super().__init__(circuit)
        self.one = threading.Lock()

    def generate(self, inner: Any) -> Generator[Any, Any, Any]:
        with self.one:
            return (yield from super().generate(inner))


class Holding(Right):
    """Holds a lock while the consumer has the generator."""

    breaker = _Holding


class _Reserving(ToyBreaker):
    def protect(self, function: Function) -> Function:
        if not inspect.isgeneratorfunction(function):
            return super().protect(function)

        @functools.wraps(function)
        def protected(*args: Any) -> Any:
            stay = Stay(self.circuit)

            def generate() -> Any:
                try:
                    inner = function(*args)
                    while True:
                        try:
                            item = stay.step(lambda: next(inner))
                        except StopIteration:
                            return
                        yield item
                finally:
                    stay.end()

            return generate()

        return protected


class Reserving(Right):
    """Gives a place to generators that are only made."""

    breaker = _Reserving


class _Swallowing(ToyBlock):
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        super().__exit__(kind, error, trace)
        return True


class _SwallowingBreaker(ToyBreaker):
    def block(self) -> Any:
        return _Swallowing(self.circuit)

    async_block = block


class Swallowing(Right):
    """Its blocks swallow exceptions."""

    breaker = _SwallowingBreaker


class _Open(ToyBlock):
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return False


class _OpenBreaker(ToyBreaker):
    def block(self) -> Any:
        return _Open(self.circuit)

    async_block = block


class OpenDoor(Right):
    """Its blocks do nothing."""

    breaker = _OpenBreaker


class _OneSlot(ToyBlock):
    ticket: Ticket | None = None  # type: ignore[assignment]

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        ticket, self.ticket = self.ticket, None
        if ticket is not None:
            self.circuit.settle(ticket, error)
        return False


class _OneSlotBreaker(ToyBreaker):
    def __init__(self, circuit: Circuit) -> None:
        super().__init__(circuit)
        self.only = _OneSlot(circuit)

    def block(self) -> Any:
        return self.only

    async_block = block


class OneSlot(Right):
    """Remembers one entry at a time."""

    breaker = _OneSlotBreaker


class _Bound(ToyBlock):
    def __enter__(self) -> None:
        super().__enter__()
        self.thread = threading.get_ident()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if self.thread == threading.get_ident():
            super().__exit__(kind, error, trace)
        return False


class _BoundBreaker(ToyBreaker):
    def block(self) -> Any:
        return _Bound(self.circuit)


class Bound(Right):
    """Settles a block only in the thread that entered it."""

    breaker = _BoundBreaker


class _Leaking(Circuit):
    def settle(self, ticket: Ticket, error: BaseException | None, took: float = 0.0) -> None:
        if not isinstance(error, asyncio.CancelledError):
            super().settle(ticket, error, took)


class Leaking(Right):
    """Never settles what was cancelled."""

    circuit = _Leaking
