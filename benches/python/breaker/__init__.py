"""The circuit breaker's benchmark: what is measured, in order."""

from benches.python.report import Picture
from benches.python.rooms import Room, Scenario, scenarios

from . import coroutines, imports, items, keys, leaks, memory, outcomes, sync_calls, threads
from .bars import BARS as BARS
from .names import group as group
from .peers import PEERS

_RACES = [*sync_calls.RACES, *outcomes.RACES, *coroutines.RACES, *items.RACES]

SCENARIOS: dict[str, Scenario] = {
    **scenarios(_RACES),
    threads.THROUGHPUT: threads.throughput,
    threads.CONTENTION: threads.contention,
    keys.LOOKUP: keys.lookup,
    memory.TABLE: memory.table,
    keys.MEMORY: keys.memory,
    imports.TABLE: imports.table,
    leaks.TABLE: leaks.table,
}

PICTURES: dict[str, Picture] = {
    sync_calls.SUCCESS: Picture(
        "sync", "What a breaker adds to a call", "nanoseconds over the bare call", start=1
    ),
    coroutines.SUCCESS: Picture(
        "async", "What a breaker adds to an await", "nanoseconds over the bare await", start=1
    ),
    outcomes.REJECTION: Picture(
        "rejection", "What a rejected call costs", "nanoseconds a call", start=10, whole=True
    ),
    threads.THROUGHPUT: Picture(
        "threads",
        "Sixteen threads behind one breaker",
        "calls a second",
        descending=True,
        digits=0,
    ),
}

ROOM = Room(
    name="breaker",
    distributions=["seawall", *(peer.distribution for peer in PEERS)],
    scenarios=SCENARIOS,
    bars=BARS,
    pictures=PICTURES,
    group=group,
)
