"""What it costs to wait for one's turn, and how near the rate comes to what was asked for."""

import asyncio
import time
from collections.abc import Callable

from benches.python.crowds import served
from benches.python.figures import Effort, GaugeTable
from benches.python.functions import MakeDecorator, one_async
from benches.python.harness import AsyncFunction, reason

from . import ours, peers
from .peers import Quota

TASKS = "rate limit, tasks that wait"
THREADS = "rate limit, threads that wait"

RATE = 1000
CALLERS = 20
SHARE = "let in, of what may be"
BURN = "µs of the processor a call"
ROUNDS = 3

ASKED = Quota(limit=1, seconds=1 / RATE, waits=True)


def nothing_much() -> None:
    """What is let in."""


async def _loop(function: AsyncFunction, seconds: float) -> int:
    """How many calls so many tasks get done, each one after the other."""
    done = 0
    over = time.perf_counter() + seconds

    async def work() -> None:
        nonlocal done
        while True:
            await function(0)
            if time.perf_counter() >= over:
                return
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(work())
    return done


def _tasks(make: MakeDecorator, seconds: float) -> tuple[float, float]:
    with asyncio.Runner() as runner:
        runner.get_loop()
        protected = make()(one_async)
        # What is there at once is gone before it counts.
        runner.run(protected(0))
        burnt, begun = time.process_time(), time.perf_counter()
        done = runner.run(_loop(protected, seconds))
        took = time.perf_counter() - begun
        return done / seconds, (time.process_time() - burnt) / took / max(done / seconds, 1) * 1e6


def _threads(make: MakeDecorator, seconds: float) -> tuple[float, float]:
    protected = make()(nothing_much)
    protected()
    burnt = time.process_time()
    done, took = served(protected, CALLERS, seconds)
    calls = max(sum(done), 1)
    return sum(done) / took, (time.process_time() - burnt) / calls * 1e6


def _gauge(
    key: str,
    who: str,
    effort: Effort,
    made: dict[str, MakeDecorator],
    measure: Callable[[MakeDecorator, float], tuple[float, float]],
) -> GaugeTable:
    rows: dict[str, list[float | None]] = {}
    absent: dict[str, str] = {}
    seconds = max(effort.thread_seconds, 0.5) / 2
    for _ in range(ROUNDS):
        for name, make in made.items():
            if name in absent:
                continue
            try:
                rate, burnt = measure(make, seconds)
            except Exception as error:
                absent[name] = reason(error)
                continue
            best = rows.setdefault(name, [0.0, burnt])
            best[0] = max(best[0] or 0.0, rate / RATE)
            best[1] = min(best[1] or burnt, burnt)
    about = (
        f"{CALLERS} {who}, each of which calls again and again, at {RATE:,} a second, one "
        "after the other: the best of several turns."
    )
    return GaugeTable(key, about, [SHARE, BURN], rows, absent, digits=3)


def tasks(effort: Effort) -> GaugeTable:
    """Tasks of asyncio's."""
    made: dict[str, MakeDecorator] = {
        ours.OURS: lambda: ours.steady(RATE),
        "aiolimiter": lambda: peers.aiolimiter(ASKED),
        "throttled-py, GCRA": lambda: peers.throttled_async(ASKED),
        "pyrate-limiter": lambda: peers.pyrate_async(ASKED),
        "pyresilience": lambda: peers.pyresilience(ASKED),
    }
    return _gauge(TASKS, "tasks", effort, made, _tasks)


def threads(effort: Effort) -> GaugeTable:
    """Threads."""
    made: dict[str, MakeDecorator] = {
        ours.OURS: lambda: ours.steady(RATE),
        "throttled-py, GCRA": lambda: peers.throttled(ASKED),
        "pyrate-limiter": lambda: peers.pyrate(ASKED),
        "pyresilience": lambda: peers.pyresilience(ASKED),
    }
    return _gauge(THREADS, "threads", effort, made, _threads)
