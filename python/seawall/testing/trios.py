"""Tasks of trio's that sleep by a test's clock, and when all of a run waits."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import trio
from trio.testing import wait_all_tasks_blocked

from seawall.testing.sleepers import ClockStoppedError, is_alive

if TYPE_CHECKING:
    from seawall._core import Bell, Race
    from seawall.testing.clock import clock
    from seawall.testing.company import Company

__all__ = ["Watch", "settled", "trio_sleep"]


class TrioSleeper:
    """A task of trio's, asleep."""

    def __init__(self, company: Company) -> None:
        self.thread = threading.current_thread()
        self._company = company
        self._token = trio.lowlevel.current_trio_token()
        self.nap = trio.Event()
        #: Not there any more: a task that was closed half-way is in trio's books for good.
        self.is_up = False
        self.why: str | None = None

    def wake(self) -> None:
        """Lets the task have a turn."""
        self._company.rise(self)
        if trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is self._token:
            self._end()
            return
        try:
            self._token.run_sync_soon(self._end)
        except trio.RunFinishedError:  # and the task with it
            return

    def _end(self) -> None:
        if not self.is_up:
            self.nap.set()

    def fail(self, why: str) -> None:
        """Lets the task have a turn, and an error."""
        self.why = why
        self.wake()

    def settled(self, deadline: float) -> None:
        """Until all of the task's run waits; for another thread's run."""
        waits = threading.Event()

        async def tell() -> None:
            await wait_all_tasks_blocked()
            waits.set()

        try:
            self._token.run_sync_soon(trio.lowlevel.spawn_system_task, tell)
        except trio.RunFinishedError:
            return
        while is_alive(self.thread) and not waits.wait(0.01) and time.monotonic() < deadline:
            pass


async def trio_sleep(
    clock: clock, company: Company, until: int | None, bell: Bell | Race | None = None
) -> None:
    """Sleeps until ``clock`` comes to ``until``, or until ``bell`` rings."""
    if until is None:
        await trio.lowlevel.checkpoint()
        return
    sleeper = TrioSleeper(company)
    call = None
    try:
        call = clock._bed(sleeper, until)
        if bell is None or bell.listen(sleeper.wake):
            await sleeper.nap.wait()
    finally:
        sleeper.is_up = True
        company.get_up(sleeper)
        if call is not None:
            call.cancel()
    if sleeper.why is not None:
        raise ClockStoppedError(sleeper.why)


async def settled() -> None:
    """Lets everything else of this run go on until it waits."""
    await wait_all_tasks_blocked()


class Watch:
    """Moves a clock on when all of a run waits."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._on: trio.lowlevel.RunVar[bool] = trio.lowlevel.RunVar("seawall_watch", default=False)

    def begin(self) -> None:
        """Watches this run for as long as the clock has something to call."""
        if not self._on.get():
            self._on.set(True)
            trio.lowlevel.spawn_system_task(self._run)

    async def _run(self) -> None:
        company = self._company
        try:
            while True:
                await wait_all_tasks_blocked()
                if not company.is_expected():
                    return
                if not company.is_held and not company.others_awake() and _sees_all():
                    company.jump()
                    continue
                pause = company.pause()
                while company.is_expected():
                    await wait_all_tasks_blocked(company.glance)
                    if pause.is_over():
                        company.jump(pause.moment)
                        break
        finally:
            self._on.set(False)


def _sees_all() -> bool:
    """Whether a run that is blocked waits for nothing but a test's clock: no timer, no I/O."""
    run = trio.lowlevel.current_statistics()
    io: Any = run.io_statistics
    # One reader is trio's own: what other threads ask of it arrives there.
    sockets = sum(
        count
        for name in dir(io)
        if name.startswith("tasks_waiting")
        for count in [getattr(io, name)]
    )
    return sockets <= 1 and run.seconds_to_next_deadline == float("inf")
