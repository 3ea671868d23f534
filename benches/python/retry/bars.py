"""The bars of the retry. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, over

from . import attempts, ours, success

# What a coarse clock read costs: all that a time window does more than a count window.
_clock = over(success.SYNC, ours.TIME) - over(success.SYNC, ours.COUNT)
_clock_async = over(success.ASYNC, ours.TIME) - over(success.ASYNC, ours.COUNT)
_sync = over(success.SYNC, ours.RETRY)
_async = over(success.ASYNC, ours.RETRY)
_hand = over(attempts.SYNC, attempts.BY_HAND)
_hand_async = over(attempts.ASYNC, attempts.BY_HAND)

BARS = [
    Bar(
        "sync: near the native floor, but for a coarse clock read",
        _sync - over(success.SYNC, ours.FLOOR) - _clock,
        6,
    ),
    Bar(
        "async: near the native floor, but for a coarse clock read",
        _async - over(success.ASYNC, ours.FLOOR) - _clock_async,
        6,
        reason=(
            "A call that may be made again has its arguments kept, since its caller's are gone by "
            "then: a count more and less of each, and room for them."
        ),
    ),
    Bar("sync: less than tenacity", over(success.SYNC, "tenacity") / _sync, 500, "≥"),
    Bar("async: less than tenacity", over(success.ASYNC, "tenacity") / _async, 500, "≥"),
    Bar(
        "an attempt at once",
        over(attempts.AT_ONCE, ours.RETRY).per(attempts.ATTEMPTS, "attempts"),
        250,
    ),
    Bar("attempts: no slower than by hand", over(attempts.SYNC, ours.RETRY) / _hand, 1.0),
    Bar(
        "attempts at once: no slower than by hand",
        over(attempts.AT_ONCE, ours.RETRY) / over(attempts.AT_ONCE, attempts.BY_HAND),
        1.0,
    ),
    Bar(
        "async attempts: no slower than by hand",
        over(attempts.ASYNC, ours.RETRY) / _hand_async,
        1.0,
    ),
]
