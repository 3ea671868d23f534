"""Bar charts on a logarithmic scale."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .sheet import sheet, text

WIDTH = 880
LABELS = 300
RIGHT = 100
TOP = 78
ROW = 28
BAR = 17
FOOT = 46


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: figures by name, and the words around them.

    The scale begins at ``start``, or at the whole decade under the least figure.
    """

    title: str
    subtitle: str
    unit: str
    figures: Mapping[str, float]
    group: Callable[[str], str]
    start: float | None = None
    descending: bool = False
    digits: int = 0


def draw(chart: Chart) -> str:
    """The chart as an SVG document."""
    rows = sorted(chart.figures.items(), key=lambda row: row[1], reverse=chart.descending)
    scale = _Scale([value for _, value in rows], chart.start)
    foot = TOP + ROW * len(rows)
    height = foot + FOOT
    parts = [
        *_legend([chart.group(name) for name, _ in rows]),
        *_grid(scale, foot),
        *(_bar(chart, scale, number, row) for number, row in enumerate(rows)),
        text(LABELS, foot + 36, f"{chart.unit}, logarithmic scale", "quiet"),
    ]
    return sheet(chart.title, chart.subtitle, (WIDTH, height), parts)


class _Scale:
    """Whole decades around all figures. What is not above nothing gets a sliver."""

    def __init__(self, values: list[float], start: float | None) -> None:
        positive = [value for value in [*values, start or 0.0] if value > 0] or [1.0]
        self.first = math.floor(math.log10(min(positive)))
        self.last = max(math.ceil(math.log10(max(positive))), self.first + 1)

    def x(self, value: float) -> float:
        if value <= 0:
            return LABELS + 2.0
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return LABELS + max(2.0, share * (WIDTH - LABELS - RIGHT))


def _bar(chart: Chart, scale: _Scale, number: int, row: tuple[str, float]) -> str:
    name, value = row
    y = TOP + ROW * number
    end = scale.x(value)
    return "\n".join(
        [
            text(LABELS - 10, y + 13, name, anchor="end"),
            f'  <rect class="{chart.group(name)}" x="{LABELS}" y="{y}" '
            f'width="{end - LABELS:.1f}" height="{BAR}" rx="2"/>',
            text(end + 6, y + 13, f"{value:,.{chart.digits}f}"),
        ]
    )


def _grid(scale: _Scale, foot: int) -> list[str]:
    parts = []
    for exponent in range(scale.first, scale.last + 1):
        x = scale.x(10.0**exponent) if exponent > scale.first else float(LABELS)
        parts.append(f'  <line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{foot}"/>')
        parts.append(text(x, foot + 16, f"{10.0**exponent:,.10g}", "quiet", anchor="middle"))
    return parts


def _legend(groups: list[str]) -> list[str]:
    words = {"seawall": "seawall", "baseline": "Python itself", "peer": "other libraries"}
    shown = [(group, word) for group, word in words.items() if group in groups]
    parts, x = [], float(WIDTH - 16)
    for group, word in reversed(shown):
        x -= 24 + 7.3 * len(word)
        parts.append(f'  <rect class="{group}" x="{x:.1f}" y="20" width="11" height="11" rx="2"/>')
        parts.append(text(x + 16, 30, word))
        x -= 10
    return parts
