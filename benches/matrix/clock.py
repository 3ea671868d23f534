"""The hands of the clock that a scenario moves.

A peer that has no clock of its own reads time through names in its modules; its adapter puts
`PatchedClock`'s in their place. Shifted time still runs, so code that only measures sees nothing.
Steps of the wall clock are kept apart from passing time: that is the difference under test.
"""

from __future__ import annotations

import contextlib
import time
import types
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol


class Clock(Protocol):
    """What a scenario may do to time."""

    def advance(self, seconds: float) -> None:
        """Let this much time pass, on every clock there is."""

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back; no time passes."""


class PatchedClock:
    """Real time plus what the scenario added, in every shape that Python code asks for."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._stepped = 0.0
        self.datetime = self._datetime()

    def advance(self, seconds: float) -> None:
        """Let this much time pass."""
        self._passed += seconds

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self._stepped += seconds

    def time(self) -> float:
        """Stands in for `time.time`."""
        return time.time() + self._passed + self._stepped

    def monotonic(self) -> float:
        """Stands in for `time.monotonic`."""
        return time.monotonic() + self._passed

    def module(self) -> Any:
        """Stands in for a module's `time`."""
        shifted = types.SimpleNamespace(**vars(time))
        shifted.time, shifted.monotonic = self.time, self.monotonic
        return shifted

    def _datetime(self) -> Any:
        clock = self

        class ShiftedDatetime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(clock.time(), tz)

            @classmethod
            def utcnow(cls) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(clock.time(), UTC).replace(tzinfo=None)

        return ShiftedDatetime


class SteppedWall:
    """Makes `time.time` lie for the whole process, for libraries that hold their own clock."""

    def __init__(self) -> None:
        self._stepped = 0.0

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock that Python code sees; native code sees the real one."""
        real, real_ns, by = time.time, time.time_ns, seconds
        time.time = lambda: real() + by
        time.time_ns = lambda: real_ns() + int(by * 1e9)


class RealClock(SteppedWall):
    """Time as it passes: for policies that let calls wait, where peers have no other."""

    def advance(self, seconds: float) -> None:
        """Wait that long."""
        time.sleep(seconds)


@contextlib.contextmanager
def real_time() -> Iterator[RealClock]:
    """Time as it passes."""
    yield RealClock()
