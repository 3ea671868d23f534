"""Everybody who goes by one test's clock: who sleeps, who is awake, and when everything waits.

What can be known is known: a thread sleeps by the clock, or has ended, or is awake. Whether one
that is awake computes or is blocked elsewhere (in a queue, in a join, in I/O) nobody can tell; then
a short time of real inactivity decides.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from seawall.waiting import hosts

if TYPE_CHECKING:
    from collections.abc import Generator

    from seawall._core import TestClock
    from seawall.testing.sleepers import Sleeper

__all__ = ["Company", "Pause"]

#: Real seconds that a mover waits, at most, for all that it has woken.
PATIENCE = 1.0


class Company:
    """Those who sleep by one clock, and those who might."""

    def __init__(self, clock: TestClock, *, autojump: bool, grace: float) -> None:
        self.autojump = autojump
        self.grace = grace
        #: How often to look, in real seconds, whether a grace is over.
        self.glance = grace / Pause.LOOKS
        self.sleepers: set[Sleeper] = set()
        #: Moves on with everything that anybody does with the clock.
        self.moment = 0
        self._clock = clock
        self._risen: list[Sleeper] = []
        self._inside: WeakKeyDictionary[threading.Thread, int] = WeakKeyDictionary()
        self._loops: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._trio: Any = None
        self._inside[threading.current_thread()] = 1
        #: Threads that were there before and have not entered the clock take no part in it.
        self._strangers = WeakSet(threading.enumerate())
        self.begin()
        _companies.add(self)

    def begin(self) -> None:
        """Starts with a lock that is free, and with nobody who moves the clock."""
        self.change = threading.Condition()
        self._asleep: set[threading.Thread] = set()
        self._moving = False
        self._holds = 0

    def enter(self) -> None:
        """This thread takes part."""
        thread = threading.current_thread()
        with self.change:
            self._inside[thread] = self._inside.get(thread, 0) + 1
            self.moment += 1

    def leave(self) -> None:
        """This thread takes part no more, if it has left as often as it entered."""
        thread = threading.current_thread()
        with self.change:
            self._inside[thread] = self._inside.get(thread, 1) - 1
            self.moment += 1

    def dismiss(self, why: str) -> None:
        """Ends every sleep with an error."""
        for sleeper in list(self.sleepers):
            sleeper.fail(why)
        self._risen.clear()

    def lie_down(self, thread: threading.Thread) -> None:
        """``thread`` blocks by this clock from now on."""
        with self.change:
            self._asleep.add(thread)
            self.moment += 1
            self.change.notify_all()

    def rise(self, sleeper: Sleeper) -> None:
        """``sleeper`` is awake from this moment, before it has done anything."""
        with self.change:
            self._asleep.discard(sleeper.thread)
            self._risen.append(sleeper)
            self.sleepers.discard(sleeper)
            self.moment += 1

    def get_up(self, sleeper: Sleeper) -> None:
        """``sleeper`` sleeps no more, for whatever reason."""
        with self.change:
            self._asleep.discard(sleeper.thread)
            self.sleepers.discard(sleeper)
            self.moment += 1

    def is_asleep(self, thread: threading.Thread) -> bool:
        """Whether ``thread`` blocks by this clock."""
        return thread in self._asleep

    def others_awake(self) -> bool:
        """Whether another thread might be at something that has to do with this clock.

        It might if it entered the clock, or was started since the clock was made: it can have been
        handed the context. A pool's thread without work is at nothing.
        """
        monkey: Any = sys.modules.get("gevent.monkey")
        if monkey is not None and monkey.is_module_patched("threading"):
            return True  # greenlets are on no list
        me = threading.current_thread()
        with self.change:
            return any(
                thread is not me
                and thread not in self._asleep
                and not getattr(thread, "waits_for_work", False)
                and (self._inside.get(thread, 0) > 0 or thread not in self._strangers)
                for thread in threading.enumerate()
            )

    def is_expected(self) -> bool:
        """Whether anything is to be called when the clock moves."""
        return self._clock._calls > 0

    def pause(self) -> Pause:
        """The beginning of what may be a time without activity."""
        return Pause(self)

    def jump(
        self, moment: int | None = None, *, alone: bool = False, together: bool = False
    ) -> bool:
        """Moves the clock to its next wake-up.

        Not if somebody else moves it; nor, with ``moment``, if anything has happened since; nor,
        ``alone``, if another thread is awake after all.

        Args:
            moment: The `moment` that it must still be.
            alone: Whether this must be the only thread that is awake.
            together: Whether all who wake at the same time do so at once. Otherwise the second
                sleeps until everything waits again: threads, and the tasks of trio, which shuffles
                them, are woken one by one, so that they do the same each time.
        """
        with self.change:
            if self._moving or self._holds or (moment is not None and moment != self.moment):
                return False
            if alone and self.others_awake():
                return False
            self._moving = True
            self.moment += 1
        try:
            moved = self._clock._jump()
            while together and self._clock._due:
                self._clock._jump()
            return moved
        finally:
            self._moving = False
            self._risen.clear()

    @contextmanager
    def held(self) -> Generator[None]:
        """Lets nothing but its body move the clock."""
        with self.change:
            self._holds += 1
        try:
            yield
        finally:
            with self.change:
                self._holds -= 1
                self._risen.clear()
                self.moment += 1

    @property
    def is_held(self) -> bool:
        """Whether somebody moves it by hand."""
        return self._holds > 0

    def settle(self) -> None:
        """Blocks until all that was woken in other threads waits again, or seems to."""
        deadline = time.monotonic() + PATIENCE
        me = threading.current_thread()
        while self._risen:
            sleeper = self._risen.pop(0)
            if sleeper.thread is not me:
                sleeper.settled(deadline)

    async def asettle(self) -> None:
        """As `settle`, and until every other task of this loop waits."""
        self.settle()
        if hosts.of_task().__name__ == "trio":
            from seawall.testing.trios import settled
        else:
            from seawall.testing.loops import settled
        await settled()

    def watch(self) -> None:
        """Sees to it that the loop which runs here, if one does, jumps when all of it waits."""
        if hosts.in_trio():
            from seawall.testing.trios import Watch

            self._trio = self._trio or Watch(self)
            self._trio.begin()
        elif (loop := hosts.loop()) is not None:
            from seawall.testing.loops import LoopWatch

            watch = self._loops.get(loop)
            if watch is None:
                watch = self._loops[loop] = LoopWatch(self)
            watch.begin(loop)


class Pause:
    """Some real time in which nothing happens, perhaps."""

    #: A process whose threads compute is not idle. It is taken to be after so many graces all the
    #: same: what computes need not have to do with the clock.
    MOST = 10
    #: A grace is as many looks apart. On a machine so busy that whoever looks is late, so may be
    #: those who are looked at: the time alone says little.
    LOOKS = 5

    def __init__(self, company: Company) -> None:
        self._company = company
        self._begin()
        self._first = self._since

    def _begin(self) -> None:
        self.moment = self._company.moment
        self._looks = 0
        self._since = time.monotonic()
        self._computed = time.process_time()

    def is_over(self) -> bool:
        """Whether nothing was done with the clock, and little else, for the whole grace.

        To be asked again after each glance.
        """
        now = time.monotonic()
        grace = self._company.grace
        if self.moment != self._company.moment:
            self._begin()
            self._first = now
            return False
        self._looks += 1
        if self._looks < self.LOOKS or now - self._since < grace:
            return False
        idle = time.process_time() - self._computed < (now - self._since) / 2
        if idle or now - self._first > self.MOST * grace:
            return True
        self._begin()
        return False


_companies: WeakSet[Company] = WeakSet()


def _after_fork() -> None:
    # A thread that is gone may have held the lock, or moved the clock.
    for company in list(_companies):
        company.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
