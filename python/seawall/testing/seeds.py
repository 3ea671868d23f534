"""Randomness that repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall import _core
from seawall.testing.entries import Entries

if TYPE_CHECKING:
    from typing import Self

__all__ = ["seed"]


class seed(_core.TestRandom):  # noqa: N801  reads as a verb: `with seed(7):`
    """Every random choice of its context comes from this seed: the same each time.

    Args:
        number: 0 to 2⁶⁴−1.
    """

    __slots__ = ("_entries",)

    _entries: Entries

    def __new__(cls, number: int, /) -> Self:
        """Starts at the beginning of the seed's sequence."""
        self = super().__new__(cls, number)
        self._entries = Entries()
        return self

    def __enter__(self) -> Self:
        """Makes it the source of this context."""
        self._entries.add(self._enter())
        return self

    def __exit__(self, *_: object) -> None:
        """Gives the context back the source that it had."""
        self._entries.undo(self._exit)
