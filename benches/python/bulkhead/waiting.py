"""What it costs to wait for a permit: more callers than permits, threads and tasks."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from benches.python.crowds import served
from benches.python.figures import Effort, GaugeTable
from benches.python.functions import MakeDecorator, always, nothing
from benches.python.harness import AGAIN, BARE, AsyncFunction, Race, Setup, reason
from benches.python.hosts import on_asyncio
from benches.python.machine import unpinned

from . import ours, peers

TASKS = "bulkhead, tasks that wait"
THREADS = "bulkhead, threads that wait"

CROWD = 50
PLACES = 5

NAP = 0.0002
PERMITS = 2
CALLERS = (2, 8, 32)
ROUNDS = 12
UNLUCKIEST = "least served of 32, of its share"


def column(callers: int) -> str:
    """What the rate of so many threads is called."""
    return f"{callers} threads"


async def resting(x: object) -> object:
    """Lets the others have a turn, and keeps its permit meanwhile."""
    await asyncio.sleep(0)
    return x


def _crowd(function: AsyncFunction) -> Callable[[], Awaitable[object]]:
    def crowd() -> Awaitable[object]:
        return asyncio.gather(*[function(number) for number in range(CROWD)])

    return crowd


def _tasks() -> dict[str, Callable[[], Setup]]:
    made: dict[str, MakeDecorator] = {
        BARE: always(nothing),
        AGAIN: always(nothing),
        ours.ASYNC_SEMAPHORE: lambda: peers.by_async_semaphore(PLACES),
        ours.TIMED_SEMAPHORE: lambda: peers.by_timed_semaphore(PLACES),
        ours.QUEUED: lambda: ours.queued(PLACES),
        "hyx": lambda: peers.hyx(PLACES),
        "pyresilience": lambda: peers.patient_pyresilience(PLACES),
    }

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup("await f()", f=_crowd(make()(resting)), unroll=1)

    return {name: entry(make) for name, make in made.items()}


def nap() -> None:
    """What a call to a near service is like: mostly waiting, outside the GIL."""
    time.sleep(NAP)


def threads(effort: Effort) -> GaugeTable:
    """Calls a second through two permits, by how many threads want one."""
    made: dict[str, MakeDecorator] = {
        ours.SEMAPHORE: lambda: peers.by_semaphore(PERMITS),
        ours.QUEUED: lambda: ours.queued(PERMITS),
        "pyresilience": lambda: peers.patient_pyresilience(PERMITS),
    }
    rows: dict[str, list[float | None]] = {BARE: [0.0] + [None] * len(CALLERS)}
    absent: dict[str, str] = {}
    lanes = {}
    for name, make in made.items():
        try:
            lanes[name] = make()(nap)
        except Exception as error:
            absent[name] = reason(error)
        else:
            rows[name] = [0.0] * (len(CALLERS) + 1)
    seconds = effort.thread_seconds / ROUNDS
    with unpinned():
        for _ in range(ROUNDS):
            _round(rows[BARE], nap, seconds, CALLERS[:1])
            for name, protected in lanes.items():
                _round(rows[name], protected, seconds, CALLERS)
    about = (
        f"Calls a second of a function that sleeps {NAP * 1000:g} ms, {PERMITS} at once: the best "
        "of several turns. Bare is two threads that nobody counts. Where the one who comes back "
        "first overtakes those that wait, some threads are never served: last column, 1 is fair."
    )
    columns = [*map(column, CALLERS), UNLUCKIEST]
    return GaugeTable(THREADS, about, columns, rows, absent, digits=2)


def _round(
    best: list[float | None],
    protected: Callable[[], None],
    seconds: float,
    callers: tuple[int, ...],
) -> None:
    for at, many in enumerate(callers):
        done, took = served(protected, many, seconds)
        best[at] = max(best[at] or 0.0, sum(done) / took)
        if many == CALLERS[-1]:
            share = min(done) / max(sum(done) / many, 1.0)
            best[-1] = max(best[-1] or 0.0, share)


RACES = [
    Race(
        TASKS,
        f"{CROWD} tasks at once, {PLACES} permits; each keeps its own for a round of the loop. "
        "Figures are of the whole crowd. Bare is the crowd without a limit.",
        _tasks(),
        asynchronous=True,
        host=on_asyncio,
    ),
]
