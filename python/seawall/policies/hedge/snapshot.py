"""A hedge at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["HedgeSnapshot"]


@dataclass(frozen=True, slots=True)
class HedgeSnapshot:
    """Counters of a hedge at one moment, and the delay that it goes by.

    Attributes:
        name: Its name.
        kind: ``"hedge"``.
        key: None: a hedge has no states to be told apart.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Calls since it was made, by how they ended: answered by the ``first`` attempt or by
            another (``hedged``); ``failed`` in all attempts; ``passed`` with what is not hedged
            against; ``rejected`` by a policy further in; ``cancelled``, given up by their caller.
            Attempts: ``hedges``, those besides the first; those that were not made for want of
            budget, of time, or because too many losers still ran (``refused_budget``,
            ``refused_deadline``, ``refused_losers``). Losers, by how they ended:
            ``lost_cancelled``, ``lost_failed``, ``lost_succeeded`` (all the same).
        in_flight: Calls begun and not ended.
        losers: Attempts that have lost and still run.
        delay: Seconds after which another attempt starts now; None: there are not enough samples.
        samples: How many latencies a `quantile` delay remembers.
        threads: Threads of its own there are now.
        abandoned: How many of those run losers.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    losers: int
    delay: float | None
    samples: int
    threads: int
    abandoned: int
    kind: str = "hedge"
    key: object = None
