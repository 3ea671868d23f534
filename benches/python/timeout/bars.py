"""The bars of the timeout. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, over

from . import calls

BARS = [
    Bar(
        f"a future{where}: less than {peer}",
        over(race, peer) / over(race, calls.OURS),
        10,
        "≥",
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
    ),
    Bar(
        "threads: no more than an executor",
        over(calls.THREADS, calls.POOLED) / over(calls.THREADS, calls.EXECUTOR),
        1.0,
    ),
]
