"""A breaker that is right: it shows that every scenario can be passed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, ClassVar

from toy_circuit import Circuit, Ticket, ToyOpenError

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock


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


class Right(PatchedAdapter):
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
