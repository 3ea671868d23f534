"""The bars of the bulkhead. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, Term, gauge, over

from . import calls, ours, waiting


def _rate(row: str, callers: int) -> Term:
    return gauge(waiting.THREADS, row, waiting.column(callers), "calls/s")


_tasks = over(waiting.TASKS, ours.QUEUED)
_semaphore = over(waiting.TASKS, ours.ASYNC_SEMAPHORE)

BARS: list[Bar] = []
for race, way, floor in ((calls.SYNC, "sync", 6), (calls.ASYNC, "async", 6)):
    BARS += [
        Bar(f"{way}: near the native floor", over(race, ours.OURS) - over(race, ours.FLOOR), floor),
        Bar(
            f"{way}: near the floor where calls may wait, and none has to",
            over(race, ours.QUEUED) - over(race, ours.FLOOR),
            floor,
        ),
        Bar(
            f"{way}: a bulkhead inside of a breaker",
            over(race, ours.FUSED) - over(race, ours.BREAKER),
            floor,
        ),
    ]
BARS += [
    Bar(
        "sync: less than threading.Semaphore",
        over(calls.SYNC, ours.SEMAPHORE) / over(calls.SYNC, ours.OURS),
        25,
        "≥",
    ),
    Bar(
        "async: less than asyncio.Semaphore",
        over(calls.ASYNC, ours.ASYNC_SEMAPHORE) / over(calls.ASYNC, ours.OURS),
        8,
        "≥",
    ),
    Bar(
        "sync: less than pyresilience",
        over(calls.SYNC, "pyresilience") / over(calls.SYNC, ours.OURS),
        25,
        "≥",
    ),
    Bar(
        "async: less than hyx",
        over(calls.ASYNC, "hyx") / over(calls.ASYNC, ours.OURS),
        8,
        "≥",
    ),
    Bar(
        "with: against threading.Lock",
        over(calls.BLOCK, ours.QUEUED) / over(calls.BLOCK, ours.LOCK),
        0.5,
    ),
    Bar(
        "with: against threading.Semaphore",
        over(calls.BLOCK, ours.QUEUED) / over(calls.BLOCK, ours.SEMAPHORE),
        0.1,
    ),
    Bar(
        "async with: against asyncio.Semaphore",
        over(calls.BLOCK_ASYNC, ours.QUEUED) / over(calls.BLOCK_ASYNC, ours.ASYNC_SEMAPHORE),
        0.3,
    ),
    Bar("a refusal: against a function that raises", over(calls.REJECTION, ours.OURS), 100),
    Bar("try_call: no more than a function that raises", over(calls.REJECTION, ours.TRY_CALL), 0),
    Bar(
        "a refusal: less than pyresilience",
        over(calls.REJECTION, "pyresilience") / over(calls.REJECTION, ours.OURS),
        10,
        "≥",
    ),
    Bar(
        "tasks that wait: against a semaphore that waits no longer than it may",
        _tasks / over(waiting.TASKS, ours.TIMED_SEMAPHORE),
        1.0,
    ),
    Bar(
        "tasks that wait: against asyncio.Semaphore, which waits for ever",
        _tasks / _semaphore,
        1.5,
        reason=(
            "A semaphore waits for ever. Whoever waits no longer than it may has a timer of the "
            "loop's, set and taken off again: with `asyncio.timeout` that is {} ns a task more, "
            "and seawall's bound costs {} ns."
        ),
        shown=(
            (over(waiting.TASKS, ours.TIMED_SEMAPHORE) - _semaphore).per(waiting.CROWD, "tasks"),
            (_tasks - _semaphore).per(waiting.CROWD, "tasks"),
        ),
    ),
    Bar(
        "32 threads that wait: calls of as many a second as of threading.Semaphore",
        _rate(ours.QUEUED, 32) / _rate(ours.SEMAPHORE, 32),
        0.9,
        "≥",
    ),
    Bar(
        "32 threads that wait: against two that need not",
        _rate(ours.QUEUED, 32) / _rate("bare", 2),
        0.75,
        "≥",
    ),
    Bar(
        "32 threads that wait: each is served in its turn",
        gauge(waiting.THREADS, ours.QUEUED, waiting.UNLUCKIEST, "of its share"),
        0.8,
        "≥",
    ),
]
