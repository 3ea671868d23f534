"""The bars of the hedge: what a call costs that is answered before anything is hedged."""

from benches.python.bars import Bar, over

from . import calls

_REASON = (
    "An attempt is a task, which costs {} ns without anything around it; beside it there are a "
    "future and a timer, as in `asyncio.wait_for`, which costs {} ns, and the race."
)

BARS = [
    Bar(
        f"a call that is not hedged{where}: at most three tasks",
        over(race, calls.OURS) / over(race, calls.TASK),
        3.0,
        reason=_REASON,
        shown=(over(race, calls.TASK), over(race, calls.WAIT_FOR)),
    )
    for race, where in ((calls.WAITING, ""), (calls.WAITING_UVLOOP, ", uvloop"))
]
BARS += [
    Bar(
        f"a call that is not hedged{where}: no more than asyncio.wait on one task",
        over(race, calls.OURS) / over(race, calls.WAIT),
        1.0,
    )
    for race, where in ((calls.WAITING, ""), (calls.WAITING_UVLOOP, ", uvloop"))
]
BARS += [
    Bar(
        "a delay that follows latencies: at most 1.1 times a fixed one",
        over(calls.WAITING, calls.OURS_QUANTILE) / over(calls.WAITING, calls.OURS),
        1.1,
    ),
    Bar(
        "threads: at most twice an executor",
        over(calls.THREADS, calls.OURS) / over(calls.THREADS, calls.EXECUTOR),
        2.0,
    ),
]
