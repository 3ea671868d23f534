"""A registry of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall import registry
from seawall.testing.entries import Entries

if TYPE_CHECKING:
    from typing import Self

__all__ = ["isolated"]


class isolated:  # noqa: N801  reads as a verb: `with isolated():`
    """An empty registry for its context: names taken inside are free again outside."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        """Not entered yet."""
        self._entries = Entries()

    def __enter__(self) -> Self:
        """Lays an empty registry on top."""
        self._entries.add(registry.books.set(registry.Books()))
        return self

    def __exit__(self, *_: object) -> None:
        """Takes it off again."""
        self._entries.undo(registry.books.reset)
