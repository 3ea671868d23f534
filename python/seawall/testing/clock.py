"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from seawall import _core
from seawall.testing.entries import Entries

if TYPE_CHECKING:
    from typing import Self

__all__ = ["clock"]


class clock(_core.TestClock):  # noqa: N801  reads as a verb: `with clock() as clock:`
    """The clock of everything in its context: windows, open durations, elapsed times.

    Example:
        >>> import seawall
        >>> breaker = seawall.CircuitBreaker("doc-clock", open_duration=30)
        >>> with seawall.testing.clock() as clock:
        ...     clock.advance(31)
        ...     clock.elapsed
        31.0

    It starts at the machine's own time, so state from before keeps its meaning, and it may be
    entered again, also inside itself.
    """

    __slots__ = ("_entries",)

    _entries: Entries

    def __new__(cls) -> Self:
        """Starts at the machine's time."""
        self = super().__new__(cls)
        self._entries = Entries()
        return self

    def advance(self, seconds: float | timedelta, /) -> None:
        """Moves the clock forward, to the nanosecond.

        Raises:
            ValueError: A clock does not go back, nor beyond what fits: some 26 years after the
                machine was started, ten before the end of the core's time.
        """
        try:
            if isinstance(seconds, timedelta):
                nanos = seconds // timedelta(microseconds=1) * 1_000
            else:
                nanos = round(seconds * 1_000_000_000)
            if nanos < 0:
                raise ValueError(f"a clock does not go back, and {seconds!r} is negative")
            self._advance(nanos)
        except OverflowError:
            raise ValueError(
                f"a clock can't be moved by {seconds!r}: it ends 26 years after the machine's start"
            ) from None

    def __enter__(self) -> Self:
        """Makes it the clock of this context."""
        self._entries.add(self._enter())
        return self

    def __exit__(self, *_: object) -> None:
        """Gives the context back the clock that it had."""
        self._entries.undo(self._exit)
