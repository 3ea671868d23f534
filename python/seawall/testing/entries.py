"""Where something was entered: each context leaves what it entered itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Entries"]


class Entries:
    """The tokens of one object's entries, by several threads and tasks in whatever order."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        """Not entered yet."""
        self._tokens: list[Any] = []

    def __len__(self) -> int:
        """How many are not undone yet."""
        return len(self._tokens)

    def add(self, token: Any) -> None:
        """Keeps what undoes an entry into this context."""
        self._tokens.append(token)

    def undo(self, reset: Callable[[Any], object]) -> None:
        """Undoes this context's latest entry.

        Raises:
            RuntimeError: There is none.
        """
        for token in reversed(self._tokens.copy()):
            try:
                reset(token)
            except ValueError:  # another context's
                continue
            self._tokens.remove(token)
            return
        raise RuntimeError("it was not entered in this context, or left already")
