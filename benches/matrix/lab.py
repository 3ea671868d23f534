"""Where a scenario works: calls that can be held open, watched and ended by hand.

Scenarios are written once and read the same for both kinds of function. In a sync lab every call
has a thread of its own, in an async lab a task on one event loop that runs beside the scenario.
Nothing here waits without bound: a call that doesn't come back is seen as *stuck*.

Threads and tasks run in a copy of the scenario's context, because a virtual clock may be local
to the context that entered it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from benches.matrix.adapter import Adapter, Boom, Breaker, Function, Kind, Settings
from benches.matrix.clock import Clock
from benches.matrix.verdict import NotApplicable, Refused, Wrong

SOON = 2.0
"""Seconds of real time after which what should have happened has not."""


def until(condition: Callable[[], bool], seconds: float = SOON) -> bool:
    """Whether the condition came true in time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.002)
    return True


class Flight:
    """One protected call: held inside its body until it is told how to end."""

    def __init__(self, open_error: type[BaseException]) -> None:
        self._open_error = open_error
        self._landing = threading.Event()
        self._raises: BaseException | None = None
        self._cancel: Callable[[], object] | None = None
        self.entered = False
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None

    @property
    def rejected(self) -> bool:
        """The breaker turned it away: its own error, and the body never ran."""
        return self.done and not self.entered and isinstance(self.error, self._open_error)

    @property
    def stuck(self) -> bool:
        """Neither let in nor turned away."""
        return not self.done and not self.entered

    def succeed(self) -> Flight:
        """Let the body return, and wait for the call."""
        return self._land(None)

    def fail(self, error: BaseException | None = None) -> Flight:
        """Let the body raise, and wait for the call."""
        return self._land(Boom("late") if error is None else error)

    def cancel(self) -> Flight:
        """Cancel the task, and wait for it."""
        if self._cancel is None:
            raise NotApplicable("threads can't be cancelled")
        self._cancel()
        until(lambda: self.done)
        return self

    def _land(self, error: BaseException | None) -> Flight:
        self._raises = error
        self._landing.set()
        until(lambda: self.done)
        return self

    def body(self) -> str:
        """What the sync function does."""
        self.entered = True
        self._landing.wait()
        if self._raises is not None:
            raise self._raises
        return "value"

    async def async_body(self) -> str:
        """What the async function does."""
        self.entered = True
        while not self._landing.is_set():
            await asyncio.sleep(0.002)
        if self._raises is not None:
            raise self._raises
        return "value"


def _sync_target(body: Callable[[], Any]) -> Any:
    return body()


async def _async_target(body: Callable[[], Any]) -> Any:
    return await body()


class Subject:
    """One breaker with one protected function, of the lab's kind."""

    def __init__(self, lab: Lab, breaker: Breaker) -> None:
        self.lab = lab
        self.breaker = breaker
        self._call = breaker.protect(_async_target if lab.kind == "async" else _sync_target)

    def start(self, *, prompt: bool = False) -> Flight:
        """Begin a call and leave it inside; `prompt` doesn't wait to see it let in."""
        flight = Flight(self.breaker.open_error)
        if self.lab.kind == "async":
            self._start_task(flight)
        else:
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._run, flight), daemon=True).start()
        if not prompt:
            until(lambda: flight.entered or flight.done)
        return flight

    def succeed(self) -> Flight:
        """A call that returns at once."""
        flight = self.start(prompt=True)
        return flight.succeed()

    def fail(self, times: int = 1, error: Callable[[], BaseException] = Boom) -> Flight:
        """Calls that raise at once; the last of them."""
        for _ in range(times):
            flight = self.start(prompt=True)
            flight.fail(error())
            if flight.stuck:
                break
        return flight

    def state(self) -> str:
        """The state, as the library tells it."""
        return self.breaker.state()

    def rejects(self) -> bool:
        """Whether a call is turned away now."""
        return self.succeed().rejected

    def opened(self, by: int | None = None) -> Subject:
        """Fail until it opens, and make sure that it did."""
        last = self.fail(self.lab.settings.threshold if by is None else by)
        if last.stuck:
            raise NotApplicable("calls wait for the one in flight: none can be late")
        if not self.rejects():
            raise Wrong(f"does not open after {self.lab.settings.threshold} failures")
        return self

    def due(self) -> Subject:
        """Open, with the open window gone by: the next call is a probe."""
        self.opened()
        self.lab.pass_window()
        return self

    def half_way(self) -> Coroutine[Any, Any, Any]:
        """A protected coroutine, driven by hand until its body waits; no event loop knows it."""
        inside = []

        class Pause:
            def __await__(self) -> Any:
                inside.append(1)
                yield

        async def pause() -> None:
            await Pause()

        coroutine: Coroutine[Any, Any, Any] = self._call(pause)
        try:
            coroutine.send(None)
        except RuntimeError as error:
            self.lab.need("loop" not in str(error), "it needs a running event loop")
            raise
        except self.breaker.open_error as error:
            raise Wrong("coroutines closed half-way open it") from error
        self.lab.need(bool(inside), "it waits for something else before it calls")
        return coroutine

    def force_open(self) -> concurrent.futures.Future[Any]:
        """Open by hand, beside the scenario; the future says whether that has been done."""
        self.lab.need(type(self.breaker).force_open is not Breaker.force_open, "no manual open")

        def ask() -> Any:
            answer = self.breaker.force_open()
            return self.lab.run(answer) if inspect.isawaitable(answer) else answer

        return self.lab.beside(ask)

    def _run(self, flight: Flight) -> None:
        try:
            flight.value = self._call(flight.body)
        except BaseException as error:
            flight.error = error
        flight.done = True

    def _start_task(self, flight: Flight) -> None:
        async def fly() -> None:
            task = asyncio.current_task()
            loop = asyncio.get_running_loop()
            flight._cancel = lambda: loop.call_soon_threadsafe(lambda: task and task.cancel())
            try:
                flight.value = await self._call(flight.async_body)
            except BaseException as error:
                flight.error = error
            flight.done = True

        asyncio.run_coroutine_threadsafe(fly(), self.lab.loop)


class Lab:
    """One library, one kind of function, one clock."""

    def __init__(self, adapter: Adapter, kind: Kind, clock: Clock, *, path: str) -> None:
        self.adapter = adapter
        self.adapter_path = path
        self.kind = kind
        self.clock = clock
        self.settings = Settings()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def subject(self, settings: Settings | None = None) -> Subject:
        """A fresh breaker, with a function protected."""
        return Subject(self, self.breaker(settings))

    def breaker(self, settings: Settings | None = None) -> Breaker:
        """A fresh breaker."""
        self.settings = settings or Settings()
        return self.adapter.make(self.settings)

    def protect(self, breaker: Breaker, function: Function) -> Function:
        """Decorate what a library may well refuse; its refusal is a result."""
        try:
            return breaker.protect(function)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise Refused(f"{type(error).__name__} when decorated") from error
        except Exception as error:
            if "config" in type(error).__name__.lower():
                raise Refused(f"{type(error).__name__} when decorated") from error
            raise

    def pass_window(self) -> None:
        """Let the open window go by."""
        self.clock.advance(self.settings.recovery + 1)

    def run(self, coroutine: Any) -> Any:
        """Await on the lab's loop, with a bound.

        Raises:
            TimeoutError: It did not come back.
        """

        async def awaited() -> Any:
            return await coroutine

        wrapped: Coroutine[Any, Any, Any] = awaited()
        return asyncio.run_coroutine_threadsafe(wrapped, self.loop).result(2 * SOON)

    def beside(self, work: Callable[[], Any]) -> concurrent.futures.Future[Any]:
        """Run beside the scenario, in a thread with its context."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def settle() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(settle,), daemon=True).start()
        return future

    @staticmethod
    def check(holds: bool, otherwise: str) -> None:
        """Go on if it holds, or end the scenario with what happened."""
        if not holds:
            raise Wrong(otherwise)

    @staticmethod
    def need(offered: bool, otherwise: str) -> None:
        """Go on if the library offers it, or end the scenario as not applicable."""
        if not offered:
            raise NotApplicable(otherwise)
