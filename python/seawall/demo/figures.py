"""What a run came to, in figures."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seawall.demo.load import MIX, Route
from seawall.demo.script import PhaseName
from seawall.demo.seen import ENDS, GOOD_ENDS, End, Run, Turn, Variant, Visited

__all__ = ["Figures", "figures", "quantile", "share"]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a run. Shares are of 1, times are seconds.

    Attributes:
        variant: Which run.
        sent: Requests that users made.
        ends: How many of them ended in which way.
        success: Share of requests that gave users what they came for.
        by_phase: The same for each phase and route; None where nobody asked.
        median: Half of the users knew within this time how their request ended.
        p99: All but a hundredth of them did.
        cart_down: Share of carts that were shown while payments were down.
        warm: Share of all requests that went well once the services were well again.
        dead_hits: Requests that reached a service which was down.
        cold_hits: Requests that reached the services while they recovered.
        hits: Requests that reached the services, in all.
        amplification: Requests that reached the services for each that users wanted of them, while
            they were not healthy: above 1 by retries, below by what was not tried.
        turns: What the circuit breakers did, in order.
        latest: By how much the latest request missed its due time.
    """

    variant: Variant
    sent: int
    ends: dict[End, int]
    success: float
    by_phase: dict[PhaseName, dict[Route, float | None]]
    median: float
    p99: float
    cart_down: float
    warm: float
    dead_hits: int
    cold_hits: int
    hits: int
    amplification: float
    turns: list[Turn]
    latest: float

    def as_json(self) -> dict[str, Any]:
        """As JSON has it."""
        turns = [turn._asdict() for turn in self.turns]
        return {**asdict(self), "turns": turns}


def figures(run: Run) -> Figures:
    """The figures of a run that is over."""
    script, visits = run.script, run.visits
    begin, end = script.span("down")
    down = [one for one in visits if one.route == "cart" and begin <= one.due < end]
    waits = sorted(one.waited for one in visits)
    ill = script.healthy
    wanted = sum(at >= ill for at in run.wanted)
    phases: dict[PhaseName, list[Visited]] = {name: [] for name, _, _ in script.phases}
    for one in visits:
        phases[script.phase(one.due)].append(one)
    return Figures(
        variant=run.variant,
        sent=len(visits),
        ends={end: sum(one.end == end for one in visits) for end in ENDS},
        success=share(visits) or 0.0,
        by_phase={
            name: {route: share([one for one in those if one.route == route]) for route in MIX}
            for name, those in phases.items()
        },
        median=quantile(waits, 0.5),
        p99=quantile(waits, 0.99),
        cart_down=share(down) or 0.0,
        warm=share([one for one in visits if one.due >= script.warm]) or 0.0,
        dead_hits=sum(script.phase(hit.at) == "down" for hit in run.hits),
        cold_hits=sum(script.phase(hit.at) == "recovering" for hit in run.hits),
        hits=len(run.hits),
        amplification=sum(hit.at >= ill for hit in run.hits) / max(1, wanted),
        turns=sorted(run.turns),
        latest=max((one.late for one in visits), default=0.0),
    )


def share(visits: Collection[Visited]) -> float | None:
    """The share of requests that gave users what they came for; None if there are none."""
    good: Iterable[bool] = (one.end in GOOD_ENDS for one in visits)
    return sum(good) / len(visits) if visits else None


def quantile(ordered: Sequence[float], part: float) -> float:
    """The least value that so large a part of them is not above (the nearest rank); 0.0 of none."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0
