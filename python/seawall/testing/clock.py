"""A clock that stands still until it is told to move, or until everything waits for it."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from seawall import _core
from seawall.testing.company import Company
from seawall.testing.entries import Entries
from seawall.testing.sleepers import ClockStoppedError, Sleeper, thread_sleep
from seawall.waiting import hosts

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Self

__all__ = ["clock"]


class clock(_core.TestClock):  # noqa: N801  reads as a verb: `with clock() as clock:`
    """The clock of everything in its context: windows, open durations, elapsed times, sleeps.

    Example:
        >>> import seawall
        >>> breaker = seawall.CircuitBreaker("doc-clock", open_duration=30)
        >>> with seawall.testing.clock() as clock:
        ...     clock.advance(31)
        ...     clock.elapsed
        31.0

    It starts at the machine's own time, so state from before keeps its meaning, and it may be
    entered again, also inside itself. When the last that entered it leaves it, those still asleep
    by it get a `ClockStoppedError`.

    Args:
        autojump: Moves by itself to the next wake-up as soon as everything waits.
        grace: For `autojump`, and for `advance` over other threads: the seconds of real time
            without any activity after which everything is taken to wait, where it can't be known.
    """

    __slots__ = ("_company", "_entries", "_left")

    _company: Company
    _entries: Entries
    _left: bool

    def __new__(cls, *, autojump: bool = False, grace: float | timedelta = 0.02) -> Self:
        """Starts at the machine's time."""
        self = super().__new__(cls)
        if isinstance(grace, timedelta):
            grace = grace.total_seconds()
        if not 0 < grace < 60:
            raise ValueError(f"grace must be more than 0 and less than 60 seconds, not {grace!r}")
        self._entries = Entries()
        self._company = Company(self, autojump=autojump, grace=grace)
        self._left = False
        return self

    @property
    def sleeping(self) -> int:
        """How many threads and tasks sleep by this clock now."""
        return len(self._company.sleepers)

    def advance(self, seconds: float | timedelta, /) -> None:
        """Moves the clock forward, to the nanosecond, and wakes whose time comes on the way.

        It goes from one wake-up to the next. What sleeps in other threads, or on their event loops,
        goes on at its own time: the clock stays there until all that was woken waits again, or
        shows no activity for the grace. Tasks of this thread's own loop can only go on when this
        returns, at the time that it is then; in an async test use `aadvance`.

        Raises:
            ValueError: A clock does not go back, nor beyond what fits: some 26 years after the
                machine was started, ten before the end of the core's time.
        """
        with self._company.held():
            for _ in self._steps(seconds):
                self._company.settle()

    async def aadvance(self, seconds: float | timedelta, /) -> None:
        """Moves the clock forward as `advance` does, and lets this loop's tasks go on as well.

        All that can run does so first, until it waits; and again after each wake-up, at its time.
        For asyncio and trio. Of real I/O only what has arrived is seen.

        Raises:
            ValueError: As for `advance`.
            RuntimeError: Neither asyncio nor trio runs this code.
        """
        together = hosts.of_task().__name__ == "asyncio"  # trio shuffles those who wake together
        with self._company.held():
            await self._company.asettle()
            for _ in self._steps(seconds):
                if not (together and self._due):
                    await self._company.asettle()

    def sleep(self, seconds: float | timedelta, /) -> None:
        """Blocks this thread until the clock was moved by ``seconds``.

        Raises:
            ClockStoppedError: Nobody is there who could move it, or all have left it.
            ValueError: The clock ends before; see `advance`.
        """
        thread_sleep(self, self._company, self._until(seconds))

    async def asleep(self, seconds: float | timedelta, /) -> None:
        """Puts the current task to sleep until the clock was moved by ``seconds``.

        Raises:
            ClockStoppedError: All have left it.
            RuntimeError: Neither asyncio nor trio runs this code.
            ValueError: The clock ends before; see `advance`.
        """
        until = self._until(seconds)
        if hosts.of_task().__name__ == "trio":
            from seawall.testing.trios import trio_sleep as task_sleep
        else:
            from seawall.testing.loops import task_sleep
        await task_sleep(self, self._company, until)

    def rest(self, bell: _core.Bell | _core.Race, seconds: float, /) -> None:
        """Blocks this thread until ``bell`` rings, or until the clock was moved by ``seconds``.

        These may be ``inf``: then no move of the clock ends it.

        Raises:
            ClockStoppedError: As `sleep`.
        """
        until = _NEVER if seconds == math.inf else self._until(seconds)
        thread_sleep(self, self._company, until, bell)

    async def at_rest(self, bell: _core.Bell | _core.Race, seconds: float, /) -> None:
        """As `rest`, for the current task.

        Raises:
            ClockStoppedError: All have left it.
            RuntimeError: Neither asyncio nor trio runs this code.
        """
        until = _NEVER if seconds == math.inf else self._until(seconds)
        if hosts.of_task().__name__ == "trio":
            from seawall.testing.trios import trio_sleep as task_sleep
        else:
            from seawall.testing.loops import task_sleep
        await task_sleep(self, self._company, until, bell)

    def __enter__(self) -> Self:
        """Makes it the clock of this context."""
        self._entries.add(self._enter())
        self._left = False
        self._company.enter()
        return self

    def __exit__(self, *_: object) -> None:
        """Gives the context back the clock that it had."""
        self._entries.undo(self._exit)
        self._company.leave()
        if not self._entries:
            self._left = True
            self._company.dismiss(_LEFT)

    def _expect(self) -> None:
        if self._company.autojump:
            self._company.watch()

    def _steps(self, seconds: float | timedelta) -> Generator[None]:
        """Goes from one call to the next, until it has gone all the way."""
        left = _nanos(seconds)
        try:
            while (after := self._advance(left)) is not None:
                left = after
                yield
        except OverflowError:
            raise _beyond(seconds) from None

    def _until(self, seconds: float | timedelta) -> int | None:
        """When a sleep ends; None: it is over already."""
        nanos = _nanos(seconds)
        return self._now + nanos if nanos else None

    def _bed(self, sleeper: Sleeper, until: int) -> _core.TestClockCall | None:
        """Keeps ``sleeper`` until its time, if it has one, or until everybody has left."""
        self._company.sleepers.add(sleeper)
        try:
            if self._left:
                raise ClockStoppedError(_LEFT)
            return None if until == _NEVER else self._call_at(until, sleeper.wake)
        except OverflowError:
            self._company.sleepers.discard(sleeper)
            raise ValueError(
                "nobody can sleep so long by this clock: it ends 26 years after the machine's start"
            ) from None
        except BaseException:
            self._company.sleepers.discard(sleeper)
            raise


#: In the place of a time: what no move of the clock ends.
_NEVER = -1
_LEFT = "the test's clock was left while this slept, or before: nobody moves it any more"


def _nanos(seconds: float | timedelta) -> int:
    try:
        if isinstance(seconds, timedelta):
            nanos = seconds // timedelta(microseconds=1) * 1_000
        else:
            nanos = round(seconds * 1_000_000_000)
    except OverflowError:
        raise _beyond(seconds) from None
    if nanos < 0:
        raise ValueError(f"a clock does not go back, and {seconds!r} is negative")
    return nanos


def _beyond(seconds: float | timedelta) -> ValueError:
    return ValueError(
        f"a clock can't be moved by {seconds!r}: it ends 26 years after the machine's start"
    )
