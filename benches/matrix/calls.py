"""Calls that can be held open, watched and ended by hand.

In a sync lab every call has a thread of its own, in an async lab a task on one event loop that runs
beside the scenario. Nothing here waits without bound: a call that doesn't come back is *stuck*.

Threads and tasks run in a copy of the scenario's context, because a virtual clock may be local
to the context that entered it.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from benches.matrix.adapter import Boom, Function, Kind
from benches.matrix.verdict import NotApplicable

SOON = 2.0
"""Seconds of real time after which what should have happened has not."""
MOMENT = 0.05
"""Seconds of real time in which what may happen at once does."""


def until(condition: Callable[[], bool], seconds: float = SOON) -> bool:
    """Whether the condition came true in time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.002)
    return True


def a_moment(number: int = 1) -> None:
    """Lets some real time go by.

    Libraries don't tell that somebody has begun to wait, nor that nobody else is let in: what has
    not happened after a moment is taken not to.
    """
    time.sleep(number * MOMENT)


class Flight:
    """One protected call: held inside its body until it is told how to end."""

    def __init__(self, refusal: type[BaseException] | tuple[type[BaseException], ...]) -> None:
        self._refusal = refusal
        self._landing = threading.Event()
        self._raises: BaseException | None = None
        self._cancel: Callable[[], object] | None = None
        self.entered = False
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None

    @property
    def rejected(self) -> bool:
        """It was turned away: by the policy's own error, and the body never ran."""
        return self.done and not self.entered and isinstance(self.error, self._refusal)

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


class Place(Protocol):
    """Where calls are made."""

    kind: Kind
    loop: asyncio.AbstractEventLoop


class Calls:
    """One protected function, of the lab's kind.

    Args:
        lab: Where the calls are made.
        protect: Puts the policy on a function.
        refusal: What a call raises that is not let in.
    """

    def __init__(
        self,
        lab: Place,
        protect: Callable[[Function], Function],
        refusal: type[BaseException] | tuple[type[BaseException], ...],
    ) -> None:
        self.refusal = refusal
        self._place = lab
        self._call = protect(_async_target if lab.kind == "async" else _sync_target)

    def start(self, *, prompt: bool = False) -> Flight:
        """Begin a call and leave it inside; `prompt` doesn't wait to see it let in."""
        flight = Flight(self.refusal)
        if self._place.kind == "async":
            asyncio.run_coroutine_threadsafe(self._fly(flight), self._place.loop)
        else:
            self._thread(flight)
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

    def in_turn(self) -> tuple[Flight, Flight]:
        """Two calls of one thread or task, the second as soon as the first has ended."""
        flights = Flight(self.refusal), Flight(self.refusal)
        if self._place.kind == "async":
            asyncio.run_coroutine_threadsafe(self._fly(*flights), self._place.loop)
        else:
            self._thread(*flights)
        until(lambda: flights[0].entered or flights[0].done)
        return flights

    def call(self, body: Callable[[], Any]) -> Any:
        """What a call of the protected function is; of the lab's kind, as `body` has to be."""
        return self._call(body)

    def _run(self, flight: Flight) -> None:
        try:
            flight.value = self._call(flight.body)
        except BaseException as error:
            flight.error = error
        flight.done = True

    def _thread(self, *flights: Flight) -> None:
        def fly() -> None:
            for flight in flights:
                self._run(flight)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(fly,), daemon=True).start()

    async def _fly(self, *flights: Flight) -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for flight in flights:
            flight._cancel = lambda: loop.call_soon_threadsafe(lambda: task and task.cancel())
            try:
                flight.value = await self._call(flight.async_body)
            except BaseException as error:
                flight.error = error
            flight.done = True
