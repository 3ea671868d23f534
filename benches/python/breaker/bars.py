"""The bars of the breaker. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, gauge, over

from . import coroutines, imports, items, keys, leaks, memory, names, sync_calls, threads
from .names import COUNT, FLOOR, LRU_CACHE, PARTIAL, PY_WRAPPER, TIME

KIB = 1024

_sync = over(sync_calls.SUCCESS, COUNT)
_keyword = over(sync_calls.KEYWORD, COUNT)
_method = over(sync_calls.METHOD, COUNT)
_async = over(coroutines.SUCCESS, COUNT)

BARS = [
    # near the floor
    Bar("sync: near the native floor", _sync - over(sync_calls.SUCCESS, FLOOR), 5),
    Bar("async: near the native floor", _async - over(coroutines.SUCCESS, FLOOR), 5),
    Bar(
        "sync: a further policy",
        over(sync_calls.SUCCESS, names.TWO_FUSED) - over(sync_calls.SUCCESS, names.ONE_FUSED),
        6,
    ),
    Bar(
        "async: a further policy",
        over(coroutines.SUCCESS, names.TWO_FUSED) - over(coroutines.SUCCESS, names.ONE_FUSED),
        6,
    ),
    # against what CPython has
    Bar("sync: no more than an lru_cache hit", _sync / over(sync_calls.SUCCESS, LRU_CACHE), 1.0),
    Bar("sync: no more than partial", _sync / over(sync_calls.SUCCESS, PARTIAL), 1.0),
    Bar("method: against lru_cache", _method / over(sync_calls.METHOD, LRU_CACHE), 0.6),
    Bar("keyword: against lru_cache", _keyword / over(sync_calls.KEYWORD, LRU_CACHE), 0.6),
    Bar(
        "time window: against count window",
        over(sync_calls.SUCCESS, TIME) / _sync,
        1.25,
        reason="A call reads a coarse clock, which is all that it does more: {} ns here.",
        shown=(over(sync_calls.SUCCESS, TIME) - _sync,),
    ),
    Bar(
        "with: against threading.Lock",
        over(sync_calls.BLOCK, COUNT) / over(sync_calls.BLOCK, names.LOCK),
        0.5,
    ),
    Bar(
        "async: against a Python pass-through",
        _async / over(coroutines.SUCCESS, PY_WRAPPER),
        {(3, 11): 0.35, (3, 12): 0.65},
    ),
    # generators and keys
    Bar("generator: an item over the bare generator's", over(items.ITEM, COUNT), 60),
    Bar("async generator: an item over the bare one's", over(items.ITEM_ASYNC, COUNT), 60),
    Bar("keyed lookup, keys in use", gauge(keys.LOOKUP, keys.HOT, keys.BY_NAME, "ns"), 100),
    Bar(
        "keyed lookup, any of 100,000, beyond a dict's own",
        gauge(keys.LOOKUP, keys.ALL, keys.BEYOND_DICT, "ns"),
        100,
        reason=(
            "The same path over keys in use costs {} ns more than a dict's: the rest is waiting "
            "for memory that no cache holds. A dict waits for its slot and for the key, {} ns more "
            "than for keys in use; seawall besides for the key's entry and the words of its "
            "circuit."
        ),
        shown=(
            gauge(keys.LOOKUP, keys.HOT, keys.BEYOND_DICT, "ns"),
            gauge(keys.LOOKUP, keys.ALL, keys.DICT, "ns")
            - gauge(keys.LOOKUP, keys.HOT, keys.DICT, "ns"),
        ),
    ),
    Bar("memory of a key", gauge(keys.MEMORY, keys.KEPT, keys.EACH, "bytes"), KIB),
    Bar("keys that come and go leave nothing", gauge(keys.MEMORY, keys.KEPT, keys.MORE, "B"), 1.0),
    # against the peers
    Bar(
        "sync: less than pybreaker",
        over(sync_calls.SUCCESS, "pybreaker") / _sync,
        70,
        "≥",
        reason=(
            "The bar is from Python 3.11. Of the {} ns that the breaker costs here {} are the "
            "native wrapper's, which is there without a policy too; pybreaker costs {} ns."
        ),
        shown=(
            _sync,
            over(sync_calls.SUCCESS, FLOOR),
            over(sync_calls.SUCCESS, "pybreaker"),
        ),
    ),
    Bar(
        "sync: less than circuitbreaker",
        over(sync_calls.SUCCESS, "circuitbreaker") / _sync,
        25,
        "≥",
    ),
    Bar(
        "async: less than circuitbreaker",
        over(coroutines.SUCCESS, "circuitbreaker") / _async,
        {(3, 11): 18, (3, 12): 8},
        "≥",
    ),
    # what it costs besides time
    Bar(
        "two threads on one wrapper",
        gauge(threads.CONTENTION, COUNT, threads.AT_MOST, "times"),
        1.1,
    ),
    Bar(
        "host-shared against private",
        over(sync_calls.SUCCESS, names.SHARED) / _sync,
        1.1,
    ),
    Bar(
        "import of the extension",
        gauge(imports.TABLE, imports.EXTENSION, imports.MEDIAN, "ms"),
        1.0,
    ),
    Bar("import of seawall", gauge(imports.TABLE, imports.PACKAGE, imports.MEDIAN, "ms"), 15.0),
    Bar("memory of a 100-call breaker", gauge(memory.TABLE, COUNT, memory.RESIDENT, "bytes"), KIB),
    Bar("no leak: memory", gauge(leaks.TABLE, leaks.WORST, leaks.BYTES, "bytes a call"), 1.0),
    Bar(
        "no leak: references",
        gauge(leaks.TABLE, leaks.WORST, leaks.REFERENCES, "a call"),
        0.001,
    ),
]
