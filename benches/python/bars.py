"""The limits that the project has set itself, as data, and the judge over them.

A bar is a term over figures of **one** run, and a limit, which may differ from Python to Python.
A missed bar is a missed bar: nothing here rounds or hides one. Where it is known why a bar may be
missed, the bar says so, in figures of the same run; the verdict stays what it is.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from .figures import GATE, Run, Statistic

Version = tuple[int, int]
Verdict = Literal["held", "missed", "not measured"]


@dataclass(frozen=True, slots=True)
class Term:
    """A figure of a run, with the words that say which."""

    words: str
    of: Callable[[Run, Statistic], float | None]
    unit: str = ""

    def __truediv__(self, other: Self) -> "Term":
        """How many times ``other`` this is."""
        return Term(f"{self.words} ÷ {other.words}", _both(self, other, _ratio), "times")

    def __sub__(self, other: Self) -> "Term":
        """How much more than ``other`` this is, in the unit of both."""
        return Term(
            f"{self.words} - {other.words}", _both(self, other, lambda a, b: a - b), self.unit
        )

    def per(self, count: int, what: str) -> "Term":
        """Its share of each of so many."""
        of = self.of

        def value(run: Run, how: Statistic) -> float | None:
            whole = of(run, how)
            return None if whole is None else whole / count

        return Term(f"{self.words} ÷ {count} {what}", value, self.unit)


def over(race: str, row: str) -> Term:
    """Nanoseconds over the bare call."""
    return Term(f"[{race}: {row}]", lambda run, how: run.over(race, row, how), "ns")


def gauge(table: str, row: str, column: str, unit: str) -> Term:
    """A figure of a gauge table."""
    return Term(f"[{table}: {row}, {column}]", lambda run, _: run.gauge(table, row, column), unit)


def _both(
    left: Term, right: Term, join: Callable[[float, float], float]
) -> Callable[[Run, Statistic], float | None]:
    def value(run: Run, how: Statistic) -> float | None:
        first, second = left.of(run, how), right.of(run, how)
        return None if first is None or second is None else join(first, second)

    return value


def _ratio(part: float, whole: float) -> float:
    """A cost at or under the bare call's is noise around nothing: a tenth of a nanosecond."""
    return part / max(whole, 0.1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A claim, the term that measures it and its limit from each Python version on."""

    claim: str
    term: Term
    limit: float | Mapping[Version, float]
    sense: Literal["≤", "≥"] = "≤"
    #: Why it is missed, where it is: printed with the verdict. `{…}` are places for `shown`.
    reason: str = ""
    shown: tuple[Term, ...] = ()

    def why(self, run: Run) -> str:
        """The reason with figures of the run in their places; where one is missing, a dash."""
        values = [term.of(run, GATE) for term in self.shown]
        return self.reason.format(*("-" if value is None else f"{value:,.1f}" for value in values))

    def limit_for(self, version: Version) -> float | None:
        """The limit in force on this Python; None where the bar does not apply."""
        if isinstance(self.limit, int | float):
            return self.limit
        since = [known for known in self.limit if known <= version]
        return self.limit[max(since)] if since else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A bar after a run. ``value`` is what gates; ``second`` the other statistic's opinion."""

    bar: Bar
    limit: float
    value: float | None
    second: float | None
    verdict: Verdict
    #: Why it is missed, if it is and somebody knows.
    reason: str = ""


def judge(bars: list[Bar], run: Run, version: Version = sys.version_info[:2]) -> list[Judged]:
    """Every bar that applies to this Python, in order."""
    other: Statistic = "paired" if GATE == "minima" else "minima"
    judged = []
    for bar in bars:
        limit = bar.limit_for(version)
        if limit is None:
            continue
        value, second = bar.term.of(run, GATE), bar.term.of(run, other)
        verdict = _verdict(bar, value, limit)
        reason = bar.why(run) if verdict == "missed" else ""
        judged.append(Judged(bar, limit, value, second, verdict, reason))
    return judged


def _verdict(bar: Bar, value: float | None, limit: float) -> Verdict:
    if value is None:
        return "not measured"
    held = value <= limit if bar.sense == "≤" else value >= limit
    return "held" if held else "missed"
