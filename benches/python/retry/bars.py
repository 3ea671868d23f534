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

_TENACITY = (
    "The bar is from another machine. Of the {} ns here {} are the native wrapper's and {} a clock "
    "read; tenacity costs {} ns, and a five hundredth of that leaves little for a retry."
)
_ASYNC_TENACITY = (
    "The bar is a synchronous one's. Of the {} ns here {} are the native coroutine's; tenacity "
    "costs {} ns."
)

BARS = [
    Bar(
        "sync: near the native floor, but for a coarse clock read",
        _sync - over(success.SYNC, ours.FLOOR) - _clock,
        6,
        reason="A breaker of a count window costs {} ns more than the floor, a retry {} ns.",
        shown=(
            over(success.SYNC, ours.COUNT) - over(success.SYNC, ours.FLOOR),
            _sync - over(success.SYNC, ours.FLOOR),
        ),
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
    Bar(
        "sync: less than tenacity",
        over(success.SYNC, "tenacity") / _sync,
        500,
        "≥",
        reason=_TENACITY,
        shown=(_sync, over(success.SYNC, ours.FLOOR), _clock, over(success.SYNC, "tenacity")),
    ),
    Bar(
        "async: less than tenacity",
        over(success.ASYNC, "tenacity") / _async,
        500,
        "≥",
        reason=_ASYNC_TENACITY,
        shown=(_async, over(success.ASYNC, ours.FLOOR), over(success.ASYNC, "tenacity")),
    ),
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
        reason=(
            "Before an attempt others run, also if no time is waited: seawall asks which library "
            "runs the task, the loop by hand knows. Going round asyncio's loop is most of both."
        ),
    ),
]
