"""A run as Markdown, JSON and pictures."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .bars import Judged
from .chart import Chart, draw
from .figures import Effort, GaugeTable, RaceTable, Run, Table
from .harness import AGAIN, BARE

GATING = (
    "Bars gate on the **minima**: the contender's lowest round less the bare call's lowest round, "
    "both of this run. Beside it stands the same bar by the *paired* statistic, the median over "
    "the rounds of the difference to the bare call in the same round; it does not gate."
)

UNKNOWN = "nobody has found out why yet."


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart of one table: what its file is called, its words, which figure it shows.

    A race shows the cost over the bare call, or the whole cost of a call where ``whole`` is set
    (a rejected call need not cost more than a bare one that raises); other tables the last column.
    """

    name: str
    title: str
    unit: str
    start: float | None = None
    whole: bool = False
    descending: bool = False
    digits: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is written down about one run."""

    room: str
    python: str
    effort: Effort
    facts: Mapping[str, str]
    run: Run
    judged: Sequence[Judged]
    pictures: Mapping[str, Picture]
    group: Callable[[str], str]

    @property
    def stem(self) -> str:
        """File name without an ending: one report a room and Python version."""
        return f"{self.room}-{self.python}"


def write(report: Report, folder: Path) -> list[Path]:
    """Writes the report, its raw figures and its pictures; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for picture, table in _pictures(report):
        written.append(folder / f"{report.stem}-{picture.name}.svg")
        written[-1].write_text(draw(_chart(report, picture, table)), encoding="utf-8")
    for ending, text in ((".md", markdown(report)), (".json", raw(report))):
        written.append(folder / f"{report.stem}{ending}")
        written[-1].write_text(text, encoding="utf-8")
    return written


def markdown(report: Report) -> str:
    """The report for readers."""
    parts = [
        f"# {report.room.replace('_', ' ').capitalize()} benchmark, Python {report.python}",
        f"Written by `make bench` ({report.effort.name}: {report.effort.rounds} rounds of "
        f"{report.effort.sample_ns / 1000:.0f} µs a contender). "
        "How to read it: [README](README.md).",
        "## Where it ran",
        "\n".join(
            f"- {name}: {fact}" for name, fact in (*report.facts.items(), *_noise(report.run))
        ),
        "## Bars",
        GATING,
        bars_table(report.judged),
        *_reasons(report.judged),
    ]
    shown = [
        f"![{picture.title}]({report.stem}-{picture.name}.svg)" for picture, _ in _pictures(report)
    ]
    parts += ["## Pictures", *shown] if shown else []
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


def reasons(judged: Sequence[Judged]) -> str:
    """Why each missed bar is missed; of one that nobody can say it of, that."""
    missed = [each for each in judged if each.verdict == "missed"]
    return "\n".join(f"- **{each.bar.claim}**: {each.reason or UNKNOWN}" for each in missed)


def _reasons(judged: Sequence[Judged]) -> list[str]:
    text = reasons(judged)
    return ["### Missed, and why", text] if text else []


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
                        "reason": each.reason,
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


def _noise(run: Run) -> Iterator[tuple[str, str]]:
    """How far the bare call stood from itself: the other figures are no surer than that."""
    off = {
        key: (table.rows[AGAIN].over_minima, table.rows[BARE].minimum)
        for key, table in run.tables.items()
        if isinstance(table, RaceTable) and AGAIN in table.rows
    }
    if off:
        worst = max(off, key=lambda key: abs(off[key][0]) / off[key][1])
        nanoseconds, whole = off[worst]
        share = abs(nanoseconds) / whole
        yield "noise", f"bare differs from itself by at most {share:.1%} ({worst})"


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


def _pictures(report: Report) -> list[tuple[Picture, Table]]:
    tables = report.run.tables
    return [
        (picture, tables[key])
        for key, picture in report.pictures.items()
        if key in tables and tables[key].rows
    ]


def _chart(report: Report, picture: Picture, table: Table) -> Chart:
    about = table.about.replace("`", "")
    return Chart(
        title=picture.title,
        subtitle=f"CPython {report.python}, one machine, one run. {about}",
        unit=picture.unit,
        figures=_shown(picture, table),
        group=report.group,
        start=picture.start,
        descending=picture.descending,
        digits=picture.digits,
    )


def _shown(picture: Picture, table: Table) -> dict[str, float]:
    if isinstance(table, GaugeTable):
        last = {name: row[-1] for name, row in table.rows.items()}
        return {name: value for name, value in last.items() if value is not None}
    if picture.whole:
        return {name: it.minimum for name, it in table.rows.items() if name != AGAIN}
    return {name: it.over_minima for name, it in table.rows.items() if name not in (BARE, AGAIN)}


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
