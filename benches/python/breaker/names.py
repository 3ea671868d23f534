"""What contenders are called, once: tables, bars and charts meet in these words."""

from benches.python.harness import AGAIN, BARE

PARTIAL = "functools.partial"
LRU_CACHE = "functools.lru_cache, hit"
PY_WRAPPER = "Python pass-through (*a, **k)"
LOCK = "threading.Lock"
SEMAPHORE = "asyncio.Semaphore"

FLOOR = "seawall empty pipeline"
COUNT = "seawall breaker, count window"
DIRTY = "seawall breaker, count window with failures"
CONSECUTIVE = "seawall breaker, consecutive failures"
TIME = "seawall breaker, time window"
SLOW = "seawall breaker, slow calls"
ONE_FUSED = "seawall pipeline of one breaker"
TWO_FUSED = "seawall pipeline of two breakers"
SHARED = "seawall breaker, host-shared"
CALL = "seawall breaker.call"
TRY_CALL = "seawall breaker.try_call"
OPENED = "seawall breaker, open"
FORCED = "seawall breaker, forced open"

BASELINES = frozenset({BARE, AGAIN, PARTIAL, LRU_CACHE, PY_WRAPPER, LOCK, SEMAPHORE})


def group(name: str) -> str:
    """``seawall``, ``baseline`` or ``peer``: how a chart colours it."""
    if name.startswith("seawall"):
        return "seawall"
    return "baseline" if name in BASELINES else "peer"
