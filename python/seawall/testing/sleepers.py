"""Who sleeps by a test's clock, and how it is woken."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from seawall.errors import SeawallError

if TYPE_CHECKING:
    from seawall._core import Bell, Race
    from seawall.testing.clock import clock
    from seawall.testing.company import Company

__all__ = ["ClockStoppedError", "Sleeper", "is_alive", "thread_sleep"]


class ClockStoppedError(SeawallError, RuntimeError):
    """What sleeps by a test's clock would sleep for ever: nobody is there to move it."""


class Sleeper(Protocol):
    """A thread or a task that is asleep."""

    thread: threading.Thread

    def wake(self) -> None:
        """Its time has come. Called by the thread that moves the clock."""

    def fail(self, why: str) -> None:
        """Its time will never come."""

    def settled(self, deadline: float) -> None:
        """Blocks until what it woke to do waits again; to ``deadline`` of real time at most."""


class ThreadSleeper:
    """A thread, blocked."""

    def __init__(self, company: Company) -> None:
        self.thread = threading.current_thread()
        self._company = company
        self._bell = threading.Lock()
        self._bell.acquire()
        self._over = False
        self._why: str | None = None

    def wake(self) -> None:
        """Lets the thread go on."""
        with self._company.change:
            if self._over:
                return
            self._over = True
            self._company.rise(self)
        self._bell.release()

    def fail(self, why: str) -> None:
        """Lets the thread go on, to an error."""
        self._why = why
        self.wake()

    def settled(self, deadline: float) -> None:
        """Until the thread sleeps again, has ended, or blocks in something else."""
        company = self._company
        pause = company.pause()
        while is_alive(self.thread) and not company.is_asleep(self.thread):
            if pause.is_over() or time.monotonic() >= deadline:
                return
            with company.change:
                company.change.wait(min(0.001, company.glance))

    def _is_over(self) -> bool:
        return self._over

    def wait(self) -> None:
        """Blocks until it is woken, and moves the clock itself if nobody else would."""
        company = self._company
        pause = company.pause()
        while not self._is_over():
            if company.others_awake():
                if not company.autojump:
                    self._bell.acquire()
                    continue
                if not self._bell.acquire(timeout=company.glance) and pause.is_over():
                    company.jump(pause.moment)
            elif self._is_over():
                break  # by one that is gone by now
            elif not company.autojump:
                raise ClockStoppedError(
                    "nobody is there to move the test's clock that this thread sleeps by: enter it"
                    " with autojump=True, or sleep in a thread of its own and advance it from here"
                )
            elif not company.jump(alone=True):
                # Somebody else moves it just now.
                self._bell.acquire(timeout=company.glance)
        if self._why is not None:
            raise ClockStoppedError(self._why)


def is_alive(thread: threading.Thread) -> bool:
    """Whether ``thread`` has not ended."""
    try:
        return thread.is_alive()
    except RuntimeError:  # so Python 3.13 answers for one that was not started by `threading`
        return False


def thread_sleep(
    clock: clock, company: Company, until: int | None, bell: Bell | Race | None = None
) -> None:
    """Blocks this thread until ``clock`` comes to ``until``, or until ``bell`` rings."""
    if until is None:
        time.sleep(0)
        return
    sleeper = ThreadSleeper(company)
    call = None
    try:
        company.lie_down(sleeper.thread)
        call = clock._bed(sleeper, until)
        if bell is None or bell.listen(sleeper.wake):
            sleeper.wait()
    finally:
        company.get_up(sleeper)
        if call is not None:
            call.cancel()
