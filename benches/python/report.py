"""A run as Markdown, JSON and pictures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .bars import Judged
from .chart import Chart, draw
from .figures import Effort, GaugeTable, RaceTable, Run, Table
from .harness import BARE

GATING = (
    "Bars gate on the **minima**: the contender's lowest round less the bare call's lowest round, "
    "both of this run. Beside it stands the same bar by the *paired* statistic, the median over "
    "the rounds of the difference to the bare call in the same round; it does not gate."
)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is written down about one run."""

    room: str
    python: str
    effort: Effort
    facts: Mapping[str, str]
    run: Run
    judged: Sequence[Judged]
    charts: Mapping[str, str]
    group: Callable[[str], str]

    @property
    def stem(self) -> str:
        """File name without an ending: one report a room and Python version."""
        return f"{self.room}-{self.python}"


def write(report: Report, folder: Path) -> list[Path]:
    """Writes the report, its raw figures and its pictures; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for key, name in report.charts.items():
        table = report.run.tables.get(key)
        if table is not None and table.rows:
            written.append(folder / f"{report.stem}-{name}.svg")
            written[-1].write_text(draw(_chart(report, table)), encoding="utf-8")
    for ending, text in ((".md", markdown(report)), (".json", raw(report))):
        written.append(folder / f"{report.stem}{ending}")
        written[-1].write_text(text, encoding="utf-8")
    return written


def markdown(report: Report) -> str:
    """The report for readers."""
    parts = [
        f"# {report.room.capitalize()} benchmark, Python {report.python}",
        f"Written by `make bench` ({report.effort.name}: {report.effort.rounds} rounds of "
        f"{report.effort.sample_ns / 1000:.0f} µs a contender). "
        "How to read it: [README](README.md).",
        "## Where it ran",
        _grid(["", ""], [[name, fact] for name, fact in report.facts.items()]),
        "## Bars",
        GATING,
        bars_table(report.judged),
    ]
    pictures = [
        f"![{key}]({report.stem}-{name}.svg)"
        for key, name in report.charts.items()
        if (table := report.run.tables.get(key)) is not None and table.rows
    ]
    parts += ["## Pictures", *pictures] if pictures else []
    for table in report.run.tables.values():
        parts += [f"## {table.key}", *_section(table)]
    return "\n\n".join(parts) + "\n"


def bars_table(judged: Sequence[Judged]) -> str:
    """The bars, missed ones in bold."""
    rows = []
    for each in judged:
        verdict = "held" if each.verdict == "held" else f"**{each.verdict}**"
        limit = f"{each.bar.sense} {each.limit:g} {each.bar.term.unit}"
        rows.append(
            [each.bar.claim, limit, _figure(each.value, 2), _figure(each.second, 2), verdict]
        )
    return _grid(["bar", "limit", "measured", "paired", "verdict"], rows)


def table_text(table: Table) -> str:
    """One table, as it is printed while a run goes on."""
    return "\n\n".join([f"## {table.key}", *_section(table)])


def raw(report: Report) -> str:
    """All figures, for machines."""
    return (
        json.dumps(
            {
                "room": report.room,
                "python": report.python,
                "effort": dataclasses.asdict(report.effort),
                "facts": dict(report.facts),
                "bars": [
                    {
                        "bar": each.bar.claim,
                        "term": each.bar.term.words,
                        "sense": each.bar.sense,
                        "limit": each.limit,
                        "unit": each.bar.term.unit,
                        "value": each.value,
                        "paired": each.second,
                        "verdict": each.verdict,
                    }
                    for each in report.judged
                ],
                "tables": {key: dataclasses.asdict(it) for key, it in report.run.tables.items()},
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


def _section(table: Table) -> list[str]:
    parts = [table.about]
    if isinstance(table, RaceTable):
        parts[0] += f" Bare: `{_one_line(table.body)}`. Nanoseconds a call."
        head = ["contender", "least", "median", "over bare (minima)", "over bare (paired)"]
        rows = [
            [
                name,
                _figure(it.minimum),
                _figure(it.median),
                *(["", ""] if name == BARE else [_over(it.over_minima), _over(it.over_paired)]),
            ]
            for name, it in table.rows.items()
        ]
    else:
        head = ["contender", *table.columns]
        rows = [
            [name, *(_figure(it, table.digits) for it in row)] for name, row in table.rows.items()
        ]
    parts.append(_grid(head, rows))
    for why in dict.fromkeys(table.absent.values()):
        missing = ", ".join(name for name, reason in table.absent.items() if reason == why)
        parts.append(f"Absent ({why}): {missing}.")
    return parts


def _chart(report: Report, table: Table) -> Chart:
    where = f"CPython {report.python}, one machine, one run; {table.about.lower()}"
    if isinstance(table, RaceTable):
        figures = {name: it.over_minima for name, it in table.rows.items() if "bare" not in name}
        title, unit = f"{table.key}: cost over a bare call", "nanoseconds over the bare call"
        return Chart(title, where, unit, figures, report.group, digits=1)
    assert isinstance(table, GaugeTable)  # noqa: S101 - the other half of the union
    last = {name: row[-1] for name, row in table.rows.items()}
    figures = {name: value for name, value in last.items() if value is not None}
    title = f"{table.key}: {table.columns[-1]}"
    return Chart(title, where, "calls a second", figures, report.group, descending=True)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned for readers of the source as well."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    rule = ["-" * max(3, widths[0])] + ["-" * (max(3, width) - 1) + ":" for width in widths[1:]]
    lines = [_line(head, widths), _line(rule, widths)]
    return "\n".join(lines + [_line(row, widths) for row in rows])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "| " + " | ".join([first, *rest]) + " |"


def _one_line(body: str) -> str:
    return " ".join(line.strip() for line in body.splitlines())


def _figure(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _over(value: float) -> str:
    return f"{value:+,.1f}"
