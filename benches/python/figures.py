"""What a run measured, as plain values: nothing here measures, nothing here prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Statistic = Literal["minima", "paired"]
"""``minima``: lowest round less the bare call's lowest round. ``paired``: median over the rounds
of the difference to the bare call in the same round."""

GATE: Statistic = "minima"
"""The statistic that decides whether a bar is held. Disturbance only ever adds time, so the
lowest of many rounds comes nearest to the cost itself; the other one is printed beside it."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to measure. Counts are per contender, times in seconds unless the name says ns."""

    name: str
    rounds: int
    sample_ns: int
    thread_rounds: int
    thread_seconds: float
    import_rounds: int
    breakers: int
    leak_calls: int


QUICK = Effort("quick", 60, 300_000, 30, 0.25, 5, 2_000, 100_000)
FULL = Effort("full", 400, 500_000, 150, 1.0, 15, 10_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Timing:
    """One contender of a race, in nanoseconds a call."""

    minimum: float
    median: float
    over_minima: float
    over_paired: float

    def over(self, statistic: Statistic) -> float:
        """Cost over the bare call."""
        return self.over_minima if statistic == "minima" else self.over_paired


@dataclass(frozen=True, slots=True)
class RaceTable:
    """Contenders that were measured in turns, against ``bare``."""

    key: str
    about: str
    bare: str
    body: str
    rows: Mapping[str, Timing]
    absent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GaugeTable:
    """Figures that are not a cost over a bare call: one row a contender, named columns."""

    key: str
    about: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[float | None]]
    absent: Mapping[str, str] = field(default_factory=dict)
    digits: int = 1


Table = RaceTable | GaugeTable


class UnknownRowError(LookupError):
    """A bar names a row that its table never had: a slip of the pen, not a missing figure."""


@dataclass(frozen=True, slots=True)
class Run:
    """All tables of one run, by key."""

    tables: Mapping[str, Table]

    def over(self, key: str, row: str, statistic: Statistic) -> float | None:
        """Cost over bare; None where the table was not run or the contender is absent."""
        table = self.tables.get(key)
        if table is None:
            return None
        if not isinstance(table, RaceTable):
            raise UnknownRowError(f"{key!r} is not a race")
        _check(row, table)
        timing = table.rows.get(row)
        return None if timing is None else timing.over(statistic)

    def gauge(self, key: str, row: str, column: str) -> float | None:
        """A figure of a gauge table; None where it was not taken."""
        table = self.tables.get(key)
        if table is None:
            return None
        if not isinstance(table, GaugeTable) or column not in table.columns:
            raise UnknownRowError(f"{key!r} has no column {column!r}")
        _check(row, table)
        figures = table.rows.get(row)
        return None if figures is None else figures[list(table.columns).index(column)]


def _check(row: str, table: Table) -> None:
    if row not in table.rows and row not in table.absent:
        raise UnknownRowError(f"{table.key!r} has no row {row!r}")
