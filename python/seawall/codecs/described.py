"""What the codecs have in common that write plain data and objects alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from seawall.codecs.classes import Classes

__all__ = ["MOST", "Described"]

#: The most that is ever written: the most that any store keeps.
MOST = 16 << 20


class Described:
    """A codec that makes objects again of the classes that an annotation, or the user, names."""

    def __init__(self, types: Iterable[Any] = ()) -> None:
        self.given = tuple(types)
        self._classes = Classes(given=self.given)
        self._limit = MOST

    def expecting(self, classes: Classes, limit: int = MOST) -> Self:
        """This codec for results that an annotation describes, at most so many bytes long."""
        codec = type(self)(self.given)
        codec._classes = classes.and_given(self.given)
        codec._limit = limit
        return codec
