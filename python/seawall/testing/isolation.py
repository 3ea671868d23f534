"""A registry of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seawall import registry

if TYPE_CHECKING:
    from typing import Self

__all__ = ["isolated"]


class isolated:  # noqa: N801  reads as a verb: `with isolated():`
    """An empty registry for its context: names taken inside are free again outside."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        """Not entered yet."""
        self._tokens: list[Any] = []

    def __enter__(self) -> Self:
        """Lays an empty registry on top."""
        self._tokens.append(registry.books.set(registry.Books()))
        return self

    def __exit__(self, *_: object) -> None:
        """Takes it off again."""
        registry.books.reset(self._tokens.pop())
