"""The page."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import NamedTuple

from seawall.demo.figures import Figures, figures
from seawall.demo.load import MIX, PATIENCE
from seawall.demo.report.charts import CHARTS, Chart
from seawall.demo.report.style import STYLE
from seawall.demo.seen import Run
from seawall.demo.words import NAMES, Row, percent, rows, seconds

__all__ = ["page"]


class _Tile(NamedTuple):
    label: str
    naked: str
    protected: str


def page(naked: Run, protected: Run, faults: Sequence[str], seed: int) -> str:
    """The report as an HTML document.

    Args:
        naked: The run without protection.
        protected: The one with it.
        faults: What the judge found.
        seed: Of the users and the services.
    """
    bad, good = figures(naked), figures(protected)
    body = [
        _head(naked, bad, seed),
        _verdict(faults),
        _tiles(bad, good),
        *(_chart(chart, [naked, protected]) for chart in CHARTS),
        _table(rows(bad, good)),
        _phases(bad, good),
        _code(),
        _foot(bad, good),
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>seawall: one outage, twice</title>",
            f"<style>\n{STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            "</body>",
            "</html>\n",
        ]
    )


def _head(naked: Run, bad: Figures, seed: int) -> str:
    script = naked.script
    phases = ", ".join(f"{name} for {end - begin:g} s" for name, begin, end in script.phases)
    mix = ", ".join(f"{rate:g} {route}s" for route, rate in MIX.items())
    return (
        "<h1>One outage, twice: without seawall and with it</h1>\n"
        f'<p class="lead">A shop calls payments and recommendations over HTTP. Those are {phases}. '
        f"Its users send {bad.sent:,} requests ({mix} a second), whatever became of the earlier "
        f"ones, and leave after {PATIENCE:g} s. Both runs have the same users at the same moments "
        f"(seed {seed}); all of it are real processes on one machine.</p>"
    )


def _verdict(faults: Sequence[str]) -> str:
    if not faults:
        return '<p class="verdict">seawall helped: the outage stayed where it was.</p>'
    items = "".join(f"<li>{escape(fault)}</li>" for fault in faults)
    return f'<div class="verdict missed">seawall did not help:<ul>{items}</ul></div>'


def _tiles(bad: Figures, good: Figures) -> str:
    both = (bad, good)
    tiles = [
        _Tile(
            "of the carts shown while payments were down", *(percent(it.cart_down) for it in both)
        ),
        _Tile("of all requests went well", *(percent(it.success) for it in both)),
        _Tile("until 99 % of the users knew how it ended", *(seconds(it.p99) for it in both)),
        _Tile("requests hit a dead service", *(f"{it.dead_hits:,}" for it in both)),
        _Tile("users gave up", *(f"{it.ends['gave up']:,}" for it in both)),
    ]
    return "\n".join(
        [
            '<section class="tiles">',
            *(
                f'<div class="tile"><div class="value">{escape(tile.protected)}</div>'
                f'<div class="label">{escape(tile.label)}</div>'
                f'<div class="before">without seawall <b>{escape(tile.naked)}</b></div></div>'
                for tile in tiles
            ),
            "</section>",
        ]
    )


def _chart(chart: Chart, runs: Sequence[Run]) -> str:
    legend = "".join(
        f'<li><i class="{kind}"></i>{escape(words)}</li>' for kind, words in chart.legend.items()
    )
    figures = "".join(
        f"<figure><figcaption>{NAMES[run.variant]}</figcaption>{svg}</figure>"
        for run, svg in zip(runs, chart.draw(runs), strict=True)
    )
    return _card(
        escape(chart.title),
        escape(chart.words),
        f'<ul class="legend">{legend}</ul><div class="pair">{figures}</div>',
    )


def _table(summary: Sequence[Row]) -> str:
    lines = "".join(
        f"<tr><th>{escape(row.label)}</th><td>{row.naked}</td><td>{row.protected}</td></tr>"
        for row in summary
    )
    head = "<tr><th></th><th>without seawall</th><th>with seawall</th></tr>"
    return _card(
        "In figures",
        "Those who gave up are counted with the time after which they did.",
        f"<table><thead>{head}</thead><tbody>{lines}</tbody></table>",
    )


def _phases(bad: Figures, good: Figures) -> str:
    lines: list[str] = []
    for route in MIX:
        cells: list[str] = []
        for phase, before in bad.by_phase.items():
            pair = (before[route], good.by_phase[phase][route])
            without, with_it = ("–" if it is None else percent(it) for it in pair)
            cells.append(f"<td>{without} → <b>{with_it}</b></td>")
        lines.append(f"<tr><th>{route}</th>{''.join(cells)}</tr>")
    head = "".join(f"<th>{phase}</th>" for phase in bad.by_phase)
    return _card(
        "What went well, by phase",
        "Without seawall → <b>with it</b>. Nobody can pay while payments are down. What counts is "
        "whether that is all that fails.",
        f'<table class="plain"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>",
    )


def _code() -> str:
    parts: list[str] = []
    for variant, name in NAMES.items():
        source = inspect.getsource(import_module(f"seawall.demo.order.{variant}"))
        parts.append(
            f"<details><summary>The shop's calls {name}</summary>"
            f"<pre>{escape(source)}</pre></details>"
        )
    return _card(
        "The code",
        "The rest of the shop is the same in both runs. Without seawall it is what a usual team "
        "writes: httpx with its timeout of 5 s, three attempts, a product page that does without "
        "recommendations.",
        "".join(parts),
    )


def _card(title: str, words: str, *parts: str) -> str:
    return (
        f'<section class="card"><h2>{title}</h2><p class="words">{words}</p>'
        f"{''.join(parts)}</section>"
    )


def _foot(bad: Figures, good: Figures) -> str:
    late = max(bad.latest, good.latest)
    return (
        f"<footer>A request counts as gone well if its user got what they came for within "
        f"{PATIENCE:g} s of the moment it was due. The latest was sent {seconds(late)} after that. "
        "seawall charges nobody whose payments are down: it says so at once.</footer>"
    )
