"""The sheet that a chart is drawn on: SVG that draws its own background.

A picture in a page can't know whether the page is light or dark, so it brings its own card and
follows the reader's system preference; either way text stands on a colour chosen for it.
"""

from collections.abc import Iterable
from xml.sax.saxutils import escape

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
    .line { fill: none; stroke: #0b7a8c; stroke-width: 2 }
    .band { fill: #0b7a8c; fill-opacity: 0.22 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f4f8 }
      .quiet { fill: #b3bcc6 }
      .card { fill: #161b22; stroke: #3d4753 }
      .grid { stroke: #2c343e }
      .seawall { fill: #2fb5c8 }
      .baseline { fill: #8d99a6 }
      .peer { fill: #e09a4f }
      .line { stroke: #2fb5c8 }
      .band { fill: #2fb5c8 }
    }
  </style>"""


def sheet(title: str, subtitle: str, size: tuple[int, int], parts: Iterable[str]) -> str:
    """An SVG document: a card of that width and height with a title, and what is drawn on it."""
    width, height = size
    label = escape(title, {'"': "&quot;"})
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="{label}">',
            _STYLE,
            f'  <rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" '
            'rx="8"/>',
            text(20, 30, title, "title"),
            text(20, 52, subtitle, "quiet"),
            *parts,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "") -> str:
    """Words at a place."""
    style = f' class="{kind}"' if kind else ""
    anchored = f' text-anchor="{anchor}"' if anchor else ""
    return f'  <text x="{x:.1f}" y="{y}"{style}{anchored}>{escape(words)}</text>'
