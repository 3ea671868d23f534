"""The bars of the rate limit. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, Term, gauge, over

from . import calls, ours, waiting


def _clock(race: str) -> Term:
    """A read of the precise clock: of slow calls a breaker makes two, and little else."""
    return (over(race, ours.SLOW) - over(race, ours.BREAKER)).per(2, "reads of the clock")


_CLOCK = (
    "What a read of the clock costs is taken from a breaker that reads it twice. The processor "
    "ends all that it has begun before it reads a precise clock, so the first read of a call costs "
    "more than the second: a limit whose calls cost nothing, which reads it and decides nothing, "
    "adds {} ns to the floor; one that decides adds {} ns to that."
)


def _shown(race: str) -> tuple[Term, Term]:
    free = over(race, ours.FREE)
    return free - over(race, ours.FLOOR), over(race, ours.OURS) - free


BARS: list[Bar] = []
for race, way in ((calls.SYNC, "sync"), (calls.ASYNC, "async")):
    BARS += [
        Bar(
            f"{way}: near the native floor, but for a read of the clock",
            over(race, ours.OURS) - over(race, ours.FLOOR) - _clock(race),
            6,
            reason=_CLOCK,
            shown=_shown(race),
        ),
        Bar(
            f"{way}: the same where calls may wait, and none has to",
            over(race, ours.QUEUED) - over(race, ours.FLOOR) - _clock(race),
            6,
            reason=_CLOCK,
            shown=_shown(race),
        ),
        Bar(
            f"{way}: a rate limit inside of a breaker, but for a read of the clock",
            over(race, ours.FUSED) - over(race, ours.BREAKER) - _clock(race),
            6,
            reason=_CLOCK,
            shown=_shown(race),
        ),
    ]
BARS += [
    Bar(
        f"{way}: less than {peer}",
        over(race, peer) / over(race, ours.OURS),
        limit,
        "≥",
    )
    for race, way, peer, limit in (
        (calls.SYNC, "sync", "limits, fixed window", 25),
        (calls.SYNC, "sync", "throttled-py, GCRA", 25),
        (calls.SYNC, "sync", "pyrate-limiter", 25),
        (calls.SYNC, "sync", "pyresilience", 25),
        (calls.ASYNC, "async", "aiolimiter", 10),
        (calls.ASYNC, "async", "throttled-py, GCRA", 10),
        (calls.ASYNC, "async", "hyx", 4),
    )
]
BARS += [
    Bar(
        f"{way}: to decide, beyond reading the clock",
        over(race, ours.OURS) - over(race, ours.FREE),
        6,
    )
    for race, way in ((calls.SYNC, "sync"), (calls.ASYNC, "async"))
]
BARS += [
    Bar(
        "with: a rate limit against a breaker that reads the same clock twice",
        over(calls.BLOCK, ours.OURS) / over(calls.BLOCK, ours.SLOW),
        1.0,
    ),
    Bar(
        "async with: less than aiolimiter",
        over(calls.BLOCK_ASYNC, "aiolimiter") / over(calls.BLOCK_ASYNC, ours.OURS),
        5,
        "≥",
    ),
    Bar("a refusal: against a function that raises", over(calls.REJECTION, ours.OURS), 100),
    Bar("try_call: no more than a function that raises", over(calls.REJECTION, ours.TRY_CALL), 0),
]
for table, who in ((waiting.TASKS, "tasks"), (waiting.THREADS, "threads")):
    _rate = gauge(table, ours.OURS, waiting.SHARE, "of the rate")
    BARS += [
        Bar(f"{who} that wait: not too few", _rate, 0.95, "≥"),
        Bar(f"{who} that wait: not too many", _rate, 1.01),
    ]
BARS += [
    Bar(
        "tasks that wait: the processor's time against aiolimiter",
        gauge(waiting.TASKS, ours.OURS, waiting.BURN, "µs")
        / gauge(waiting.TASKS, "aiolimiter", waiting.BURN, "µs"),
        1.0,
    ),
    Bar(
        "threads that wait: the processor's time against throttled-py",
        gauge(waiting.THREADS, ours.OURS, waiting.BURN, "µs")
        / gauge(waiting.THREADS, "throttled-py, GCRA", waiting.BURN, "µs"),
        1.0,
    ),
]
