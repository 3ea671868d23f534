"""Figures in words: the rows of the summary, for the terminal and the report."""

from __future__ import annotations

from typing import NamedTuple

from seawall.demo.figures import Figures
from seawall.demo.seen import Variant

__all__ = ["NAMES", "Row", "percent", "rows", "seconds"]


#: What the runs are called where they are shown.
NAMES: dict[Variant, str] = {"naked": "without seawall", "protected": "with seawall"}


class Row(NamedTuple):
    """A figure of both runs."""

    label: str
    naked: str
    protected: str


def rows(naked: Figures, protected: Figures) -> list[Row]:
    """The summary."""
    both = (naked, protected)

    def row(label: str, *values: str) -> Row:
        return Row(label, values[0], values[1])

    return [
        row("requests that went well", *(percent(it.success) for it in both)),
        row("carts shown while payments were down", *(percent(it.cart_down) for it in both)),
        row("went well once services were well again", *(percent(it.warm) for it in both)),
        row("half of the users knew within", *(seconds(it.median) for it in both)),
        row("99 % of them within", *(seconds(it.p99) for it in both)),
        row("users who gave up", *(f"{it.ends['gave up']:,}" for it in both)),
        row("requests that hit a dead service", *(f"{it.dead_hits:,}" for it in both)),
        row("requests that met recovering services", *(f"{it.cold_hits:,}" for it in both)),
        row(
            "requests made for each that users wanted", *(f"{it.amplification:.2f}" for it in both)
        ),
        row("times that a circuit breaker opened", *(f"{_opened(it):,}" for it in both)),
    ]


def percent(share: float) -> str:
    """A share. One that is not quite all is never rounded up to all."""
    tenths = int(share * 1000 + 0.5)
    if tenths == 1000 and share < 1:
        tenths = 999
    return f"{tenths / 10:g} %"


def seconds(time: float) -> str:
    """A time, to what can be told apart."""
    return f"{time * 1000:.0f} ms" if time < 1 else f"{time:.2f} s"


def _opened(it: Figures) -> int:
    return sum(turn.state == "open" for turn in it.turns)
