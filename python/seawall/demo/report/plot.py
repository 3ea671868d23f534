"""The field that a plot is drawn on: seconds from left to right, with the phases shaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

from seawall.demo.script import Script

__all__ = ["Plot", "linear", "logarithmic", "nice", "text"]

WIDTH = 600
LEFT = 74
RIGHT = 10
TOP = 24
FOOT = 40


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "") -> str:
    """Words at a place."""
    style = f' class="{kind}"' if kind else ""
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{style}{anchored}>{escape(words)}</text>'


class Plot(NamedTuple):
    """A field of so many pixels, whose height means something between 0 and 1."""

    title: str
    script: Script
    height: int

    def x(self, at: float) -> float:
        """Where a moment stands."""
        return LEFT + (WIDTH - LEFT - RIGHT) * min(at, self.script.seconds) / self.script.seconds

    def y(self, share: float) -> float:
        """Where a share of the height stands, from the ground up."""
        return TOP + self.height * (1 - share)

    def draw(self, ticks: Iterable[tuple[float, str]], unit: str, parts: Sequence[str]) -> str:
        """The plot as an SVG element.

        Args:
            ticks: Where the lines of the grid are, as shares of the height, and what they mean.
            unit: Of the height.
            parts: What is drawn on it.
        """
        height = TOP + self.height + FOOT
        label = escape(self.title, quote=True)
        return "\n".join(
            [
                f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">',
                *self._phases(),
                *self._grid(ticks),
                *parts,
                *self._axis(),
                f'<text class="quiet" text-anchor="middle" transform="translate(13 '
                f'{self.y(0.5):.1f}) rotate(-90)">{escape(unit)}</text>',
                "</svg>",
            ]
        )

    def _phases(self) -> list[str]:
        parts: list[str] = []
        for name, begin, end in self.script.phases:
            x, width = self.x(begin), self.x(end) - self.x(begin)
            parts += [
                f'<rect class="phase {name}" x="{x:.1f}" y="{TOP}" width="{width:.1f}" '
                f'height="{self.height}"/>',
                f'<rect class="flag {name}" x="{x:.1f}" y="{TOP - 19}" '
                f'width="{width - 2:.1f}" height="16" rx="3"/>',
                text(x + width / 2 - 1, TOP - 7, name, "phase-name", "middle"),
            ]
        return parts

    def _grid(self, ticks: Iterable[tuple[float, str]]) -> list[str]:
        parts: list[str] = []
        for share, words in ticks:
            y = self.y(share)
            parts += [
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
                text(LEFT - 7, y + 4, words, "quiet", "end"),
            ]
        return parts

    def _axis(self) -> list[str]:
        ground = self.y(0)
        parts = [
            f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{ground}" y2="{ground}"/>'
        ]
        step = nice(self.script.seconds, 10)
        for number in range(int(self.script.seconds / step) + 1):
            at = number * step
            parts.append(text(self.x(at), ground + 16, f"{at:g}", "quiet", "middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(text(middle, ground + 33, "seconds since the beginning", "quiet", "middle"))
        return parts


def nice(most: float, steps: int) -> float:
    """A step of 1, 2 or 5 times a power of ten, of which about so many lead to the most."""
    rough = max(most, 1e-9) / steps
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def linear(most: float) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """A scale from nought to at least the most: shares of the height, and lines for a grid."""
    step = nice(most, 4)
    top = step * max(1, math.ceil(most / step - 1e-9))
    ticks = [(n * step / top, f"{n * step:g}") for n in range(round(top / step) + 1)]
    return (lambda value: value / top), ticks


def logarithmic(least: float, most: float) -> Callable[[float], float]:
    """A scale on which equal factors are equally high; what is less stands on the ground."""
    span = math.log(most / least)
    return lambda value: max(0.0, min(1.0, math.log(max(value, least) / least) / span))
