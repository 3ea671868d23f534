"""The bars of the timeout. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, over

from . import calls

_REASON = (
    "Of the {} ns that it costs without a suspension {} are the native coroutine's; those inside "
    "learn of the deadline by a context variable, which is set once: {} ns for Python itself to "
    "set one and set it back. "
)
_shown = (
    over(calls.STRAIGHT, calls.OURS),
    over(calls.STRAIGHT, calls.FLOOR),
    over(calls.STRAIGHT, calls.VARIABLE),
)
_SUSPENDED = (
    "At the first suspension its alarm is set: loop and task are looked up, the task is asked how "
    "often it was cancelled before, and the wheel is written to, {} ns more. All of that finds its "
    "memory cold after the loop's round: setting and resetting a context variable costs {} ns here."
)


BARS = [
    Bar(
        f"a future{where}: less than {peer}",
        over(race, peer) / over(race, calls.OURS),
        10,
        "≥",
        reason=_REASON + _SUSPENDED,
        shown=(
            *_shown,
            over(race, calls.OURS) - over(calls.STRAIGHT, calls.OURS),
            over(race, calls.VARIABLE),
        ),
    )
    for race, where in ((calls.WAITING, ""), (calls.WAITING_UVLOOP, ", uvloop"))
    for peer in (calls.BLOCK, calls.WAIT_FOR)
]
BARS += [
    Bar(
        "no suspension: less than asyncio.timeout",
        over(calls.STRAIGHT, calls.BLOCK) / over(calls.STRAIGHT, calls.OURS),
        10,
        "≥",
        reason=_REASON,
        shown=_shown,
    ),
    Bar(
        "threads: no more than an executor",
        over(calls.THREADS, calls.POOLED) / over(calls.THREADS, calls.EXECUTOR),
        1.0,
    ),
]
