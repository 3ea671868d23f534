"""Windows: how far back a rate looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Window", "calls", "seconds"]


class Window(NamedTuple):
    """How far back a rate looks. Made by `calls` and `seconds`; checked by the policy."""

    unit: Literal["calls", "seconds"]
    size: int | t.Seconds

    def __repr__(self) -> str:
        """As it was made: ``calls(100)``."""
        return f"{self.unit}({self.size!r})"


def calls(count: int, /) -> Window:
    """Looks at the last ``count`` calls (1 to 100 000).

    The rate is of the calls themselves, however slowly they come in. It costs the least.
    """
    return Window("calls", count)


def seconds(length: t.Seconds, /) -> Window:
    """Looks at the calls of the last ``length`` seconds (at least 0.1).

    Time moves in steps of a sixteenth of the length: what is counted goes back at least fifteen
    sixteenths of it and at most all of it.
    """
    return Window("seconds", length)
