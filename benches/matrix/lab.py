"""Where a scenario works. Scenarios are written once and read the same for both kinds of function.

How calls are held open, watched and ended by hand is in `calls`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import inspect
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from benches.matrix.adapter import Adapter, Breaker, Function, Kind, Settings
from benches.matrix.calls import SOON, Calls
from benches.matrix.clock import Clock
from benches.matrix.policies import Guard
from benches.matrix.verdict import NotApplicable, Refused, Wrong


class Subject(Calls):
    """One breaker with one protected function, of the lab's kind."""

    def __init__(self, lab: Lab, breaker: Breaker) -> None:
        super().__init__(lab, breaker.protect, breaker.open_error)
        self.lab = lab
        self.breaker = breaker

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

    def guarded(self, make: Callable[[], Guard]) -> Calls:
        """A function protected by a policy that is no breaker, made where the calls are made."""

        async def there() -> Guard:
            return make()

        guard = self.run(there()) if self.kind == "async" else make()
        return Calls(self, guard.protect, guard.refusal)

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
