"""The bars of fused policies. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, over

from . import calls

BARS = [
    Bar(
        f"{what}: four breakers fused against one",
        over(race, calls.BREAKERS) / over(race, calls.BREAKER),
        2.5,
    )
    for race, what in ((calls.ALONE, "sync"), (calls.ALONE_ASYNC, "async"))
]
BARS += [
    Bar(
        f"{what}: each further breaker",
        (over(race, calls.BREAKERS) - over(race, calls.BREAKER)).per(3, "breakers"),
        6,
    )
    for race, what in ((calls.ALONE, "sync"), (calls.ALONE_ASYNC, "async"))
]
BARS += [
    Bar(
        f"{what}: four fused against the {one} alone",
        over(race, calls.FOUR) / over(race, row),
        2.5,
        reason=(
            "Two of the four are timeouts, each of which makes a deadline for those inside to find "
            "and reads a precise clock: one alone costs {} ns."
        ),
        shown=(over(race, calls.TIMEOUT),),
    )
    for race, what in ((calls.ALONE, "sync"), (calls.ALONE_ASYNC, "async"))
    for one, row in (("timeout", calls.TIMEOUT), ("breaker", calls.BREAKER))
]
BARS += [
    Bar(
        "sync: retry over breaker, less than tenacity over pybreaker",
        over(calls.SYNC, calls.TENACITY) / over(calls.SYNC, calls.BOTH),
        70,
        "≥",
        reason=(
            "Retries can be inside of one another in this race. Of the {} ns a breaker takes {}, "
            "and a retry by itself hardly more; the rest tells those inside that a retry runs: an "
            "object made and a context variable set."
        ),
        shown=(over(calls.SYNC, calls.BOTH), over(calls.SYNC, calls.BREAKER)),
    ),
    Bar(
        "sync: two decorators cost no more than one pipeline",
        over(calls.SYNC, calls.STACKED) / over(calls.SYNC, calls.BOTH),
        1.2,
    ),
]

BARS += [
    Bar(
        f"{way}: retry > breaker > bulkhead, less than {peer}",
        over(race, row) / over(race, calls.THREE),
        limit,
        "≥",
    )
    for way, race, row, peer, limit in (
        ("sync", calls.CONTAINS, calls.CONTAINED, "tenacity > pybreaker > Semaphore", 200),
        ("async", calls.CONTAINS_ASYNC, calls.ASYNC_CONTAINED, "the same of asyncio", 100),
    )
]
BARS += [
    Bar(
        f"{way}: a bulkhead inside of retry > breaker",
        over(race, calls.THREE) - over(race, calls.BOTH),
        6,
    )
    for way, race in (("sync", calls.SYNC), ("async", calls.ASYNC))
]
BARS += [
    Bar(
        f"{way}: retry > breaker > rate limit > bulkhead against the rate limit alone",
        over(race, calls.DIFFERENT) / over(race, calls.LIMIT),
        2.5,
    )
    for way, race in (("sync", calls.DIFFERS), ("async", calls.DIFFERS_ASYNC))
]
