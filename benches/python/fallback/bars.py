"""The bars of the fallback. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, over

from . import calls

BARS = [
    Bar(
        "sync: near the native floor",
        over(calls.SYNC, calls.VALUE) - over(calls.SYNC, calls.FLOOR),
        6,
    ),
    Bar(
        "async: near the native floor",
        over(calls.ASYNC, calls.VALUE) - over(calls.ASYNC, calls.FLOOR),
        6,
        reason=(
            "A call that may be answered for has its arguments kept, since its caller's are gone "
            "by then: a count more and less of each, and room for them."
        ),
    ),
    Bar(
        "a value: no slower than by hand",
        over(calls.FAILS, calls.VALUE) / over(calls.FAILS, calls.BY_HAND),
        1.0,
        reason=(
            "Of the {} ns there and {} by hand most are the exception's, which the interpreter "
            "matches itself where an except stands, and which is fetched and normalised here."
        ),
        shown=(over(calls.FAILS, calls.VALUE), over(calls.FAILS, calls.BY_HAND)),
    ),
    Bar(
        "an async value: no slower than by hand",
        over(calls.FAILS_ASYNC, calls.VALUE) / over(calls.FAILS_ASYNC, calls.BY_HAND),
        1.0,
    ),
]
