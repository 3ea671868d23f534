"""The circuit breaker's benchmark: what is measured, in order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..figures import Effort, Table
from ..harness import Race
from . import coroutines, imports, leaks, memory, outcomes, sync_calls, threads
from .bars import BARS as BARS
from .names import group as group
from .peers import PEERS

ROOM = "breaker"
DISTRIBUTIONS = ["seawall", *(peer.distribution for peer in PEERS)]

_RACES = [*sync_calls.RACES, *outcomes.RACES, *coroutines.RACES]


def _race(race: Race, effort: Effort) -> Table:
    return race.run(effort)


SCENARIOS: dict[str, Callable[[Effort], Table]] = {
    **{race.key: partial(_race, race) for race in _RACES},
    threads.THROUGHPUT: threads.throughput,
    threads.CONTENTION: threads.contention,
    memory.TABLE: memory.table,
    imports.TABLE: imports.table,
    leaks.TABLE: leaks.table,
}

CHARTS: dict[str, str] = {
    sync_calls.SUCCESS: "sync",
    coroutines.SUCCESS: "async",
    outcomes.REJECTION: "rejection",
    threads.THROUGHPUT: "threads",
}
