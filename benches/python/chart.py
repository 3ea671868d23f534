"""Bar charts on a logarithmic scale, as SVG that draws its own background.

A picture in a page can't know whether the page is light or dark, so it brings its own card and
follows the reader's system preference; either way text stands on a colour chosen for it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 880
LABELS = 300
RIGHT = 100
TOP = 78
ROW = 28
BAR = 17
FOOT = 46

_STYLE = """\
  <style>
    text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2933 }
    .title { font-size: 16px; font-weight: 600 }
    .quiet { fill: #52606d; font-size: 12px }
    .card { fill: #ffffff; stroke: #cbd2d9 }
    .grid { stroke: #e4e7eb }
    .seawall { fill: #0b7a8c }
    .baseline { fill: #7b8794 }
    .peer { fill: #d9822b }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f4f8 }
      .quiet { fill: #b3bcc6 }
      .card { fill: #161b22; stroke: #3d4753 }
      .grid { stroke: #2c343e }
      .seawall { fill: #2fb5c8 }
      .baseline { fill: #8d99a6 }
      .peer { fill: #e09a4f }
    }
  </style>"""


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
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_quoted(chart.title)}">',
        _STYLE,
        f'  <rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        _text(20, 30, chart.title, "title"),
        _text(20, 52, chart.subtitle, "quiet"),
        *_legend([chart.group(name) for name, _ in rows]),
        *_grid(scale, foot),
        *(_bar(chart, scale, number, row) for number, row in enumerate(rows)),
        _text(LABELS, foot + 36, f"{chart.unit}, logarithmic scale", "quiet"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


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
            _text(LABELS - 10, y + 13, name, anchor="end"),
            f'  <rect class="{chart.group(name)}" x="{LABELS}" y="{y}" '
            f'width="{end - LABELS:.1f}" height="{BAR}" rx="2"/>',
            _text(end + 6, y + 13, f"{value:,.{chart.digits}f}"),
        ]
    )


def _grid(scale: _Scale, foot: int) -> list[str]:
    parts = []
    for exponent in range(scale.first, scale.last + 1):
        x = scale.x(10.0**exponent) if exponent > scale.first else float(LABELS)
        parts.append(f'  <line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{foot}"/>')
        parts.append(_text(x, foot + 16, f"{10.0**exponent:,.10g}", "quiet", anchor="middle"))
    return parts


def _legend(groups: list[str]) -> list[str]:
    words = {"seawall": "seawall", "baseline": "Python itself", "peer": "other libraries"}
    shown = [(group, word) for group, word in words.items() if group in groups]
    parts, x = [], float(WIDTH - 16)
    for group, word in reversed(shown):
        x -= 24 + 7.3 * len(word)
        parts.append(f'  <rect class="{group}" x="{x:.1f}" y="20" width="11" height="11" rx="2"/>')
        parts.append(_text(x + 16, 30, word))
        x -= 10
    return parts


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    return f'  <text x="{x:.1f}" y="{y}"{style}{anchored}>{escape(words)}</text>'


def _quoted(words: str) -> str:
    return escape(words, {'"': "&quot;"})
