"""Tasks of asyncio's that sleep by a test's clock, on any event loop, and when the loop waits."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from seawall.testing.sleepers import ClockStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seawall._core import Bell, Race
    from seawall.testing.clock import clock
    from seawall.testing.company import Company, Pause

__all__ = ["LoopWatch", "settled", "task_sleep"]

#: Turns of the loop, one after the other, in which nobody else had one. A loop of asyncio's own
#: shows who is to have a turn next, and two make sure that what had arrived by I/O is among them.
#: Of other loops only the tasks can be seen: a few more let the callbacks between them go by.
TURNS = 2
TURNS_UNSEEN = 8
#: Turns after which a loop that is never quiet is taken as it is.
TURNS_MOST = 10_000

#: What tasks that sleep by some test's clock wait for.
_naps: WeakSet[asyncio.Future[None]] = WeakSet()


class TaskSleeper:
    """A task, asleep on its loop."""

    def __init__(self, company: Company) -> None:
        self.thread = threading.current_thread()
        self._company = company
        self._loop = asyncio.get_running_loop()
        self._why: str | None = None
        self.nap: asyncio.Future[None] = self._loop.create_future()
        _naps.add(self.nap)

    def wake(self) -> None:
        """Lets the task have a turn."""
        self._company.rise(self)
        if asyncio._get_running_loop() is self._loop:
            self._end()
            return
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:  # the loop was closed, and the task with it
            return

    def rung(self) -> None:
        """Lets the task have a turn; for another than the clock.

        Raises:
            RuntimeError: The loop was closed, and the task with it.
        """
        if self._loop.is_closed():
            raise RuntimeError("the loop is closed")
        self.wake()

    def fail(self, why: str) -> None:
        """Lets the task have a turn, and an error."""
        self._why = why
        self.wake()

    def _end(self) -> None:
        if self.nap.done():
            return
        if self._why is None:
            self.nap.set_result(None)
        else:
            self.nap.set_exception(ClockStoppedError(self._why))

    def settled(self, deadline: float) -> None:
        """Until all of the task's loop waits; for another thread's loop."""
        waits = threading.Event()
        try:
            self._loop.call_soon_threadsafe(Turns(self._loop, waits.set, TURNS_MOST).begin)
        except RuntimeError:
            return
        while self._loop.is_running() and not waits.wait(0.01) and time.monotonic() < deadline:
            pass


async def task_sleep(
    clock: clock, company: Company, until: int | None, bell: Bell | Race | None = None
) -> None:
    """Sleeps until ``clock`` comes to ``until``, or until ``bell`` rings."""
    if until is None:
        await asyncio.sleep(0)
        return
    sleeper = TaskSleeper(company)
    call = None
    try:
        call = clock._bed(sleeper, until)
        if bell is None or bell.listen(sleeper.rung):
            await sleeper.nap
    finally:
        company.get_up(sleeper)
        if call is not None:
            call.cancel()


async def settled() -> None:
    """Lets everything else on this loop go on until it waits."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def end() -> None:
        if not done.done():
            done.set_result(None)

    Turns(loop, end, TURNS_MOST).begin()
    await done


class Turns:
    """Takes turns with all else on a loop, until nothing else takes any."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, then: Callable[[], object], most: int | None = None
    ) -> None:
        self._loop = loop
        self._then = then
        self._most = most
        self._quiet = 0
        self._taken = 0

    def begin(self) -> None:
        """Has its first turn soon."""
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        ready: Any = getattr(self._loop, "_ready", None)
        if ready is None:
            quiet, enough = all(map(_waiting_for, asyncio.all_tasks(self._loop))), TURNS_UNSEEN
        else:
            quiet, enough = all(map(_is_ours, ready)), TURNS
        self._quiet = self._quiet + 1 if quiet else 0
        self._taken += 1
        if self._quiet >= enough or self._taken == self._most:
            self._then()
        else:
            self._loop.call_soon(self._turn)


class LoopWatch:
    """Moves a clock on when all of a loop waits."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._on = False
        self._seen: dict[Any, Any] = {}

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watches ``loop``, which runs here, for as long as the clock has something to call."""
        if not self._on:
            self._on = True
            self._again(loop)

    def _again(self, loop: asyncio.AbstractEventLoop) -> None:
        Turns(loop, lambda: self._quiet(loop)).begin()

    def _quiet(self, loop: asyncio.AbstractEventLoop) -> None:
        company = self._company
        if not company.is_expected():
            self._on = False
        elif not company.is_held and not company.others_awake() and _sees_all(loop):
            company.jump(together=True)
            self._again(loop)
        else:
            self._seen = _waits(loop)
            self._wait(loop, company.pause())

    def _wait(self, loop: asyncio.AbstractEventLoop, pause: Pause) -> None:
        def soon() -> None:
            Turns(loop, lambda: self._judge(loop, pause)).begin()

        handle = loop.call_later(self._company.glance, soon)
        _timers.add(handle)

    def _judge(self, loop: asyncio.AbstractEventLoop, pause: Pause) -> None:
        if _waits(loop) != self._seen:
            self._again(loop)
        elif pause.is_over():
            self._company.jump(pause.moment, together=True)
            self._again(loop)
        elif self._company.is_expected():
            self._wait(loop, pause)
        else:
            self._on = False


#: The watches' own timers, which nobody waits for.
_timers: WeakSet[Any] = WeakSet()


def _is_ours(handle: Any) -> bool:
    return isinstance(getattr(handle._callback, "__self__", None), Turns) or handle._cancelled


def _waiting_for(task: Any) -> Any:
    """What a task waits for, or None: it is to have a turn."""
    future = getattr(task, "_fut_waiter", None)
    return None if future is None or future.done() else future


def _waits(loop: asyncio.AbstractEventLoop) -> dict[Any, Any]:
    """What each task waits for: another picture later means that something went on meanwhile."""
    return {task: _waiting_for(task) for task in asyncio.all_tasks(loop)}


def _sees_all(loop: Any) -> bool:
    """Whether it is certain that a quiet loop waits for nothing but a test's clock.

    A loop of asyncio's own is asked for its timers and for the sockets that it watches. Of others,
    each task is asked what it waits for: a sleep by a clock, another task, several of these, the
    end of a task group.
    """
    selector, scheduled = getattr(loop, "_selector", None), getattr(loop, "_scheduled", None)
    if selector is None or scheduled is None:
        tasks = asyncio.all_tasks(loop)
        return all(_is_known(_waiting_for(task)) or _ends_group(task) for task in tasks)
    wakeup = getattr(loop, "_ssock", None)
    own = -1 if wakeup is None else wakeup.fileno()
    return all(key.fd == own for key in selector.get_map().values()) and all(
        timer._cancelled or timer in _timers for timer in scheduled
    )


def _is_known(future: Any) -> bool:
    parts = getattr(future, "_children", None)
    if parts is not None:
        return all(part.done() or _is_known(part) for part in parts)
    return isinstance(future, asyncio.Task) or future in _naps


def _ends_group(task: asyncio.Task[Any]) -> bool:
    """Whether what a task is at in the end is leaving a task group, asyncio's or anyio's."""
    coroutine: Any = task.get_coro()
    while (inner := getattr(coroutine, "cr_await", None)) is not None and hasattr(inner, "cr_code"):
        coroutine = inner
    code = getattr(coroutine, "cr_code", None)
    return code is not None and code.co_qualname == "TaskGroup.__aexit__"
