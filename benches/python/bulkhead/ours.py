"""seawall's contenders, and what all contenders are called."""

from typing import Any

from benches.python.ours import fresh_name, package

FLOOR = "seawall empty pipeline"
BREAKER = "seawall breaker"
FUSED = "seawall breaker > bulkhead"
OURS = "seawall bulkhead"
QUEUED = "seawall bulkhead, that may wait"
KEYED = "seawall bulkhead, a limit a key"
TRY_CALL = "seawall bulkhead.try_call"

LOCK = "threading.Lock"
SEMAPHORE = "threading.Semaphore"
BOUNDED = "threading.BoundedSemaphore"
ASYNC_LOCK = "asyncio.Lock"
ASYNC_SEMAPHORE = "asyncio.Semaphore"
TIMED_SEMAPHORE = "asyncio.Semaphore, asyncio.timeout"

#: Calls at once: more than any race of calls that go well has.
PERMITS = 10
#: How long a call may wait, where it may: longer than any scenario.
PATIENCE = 60.0


def bulkhead(permits: int = PERMITS, **settings: Any) -> Any:
    """Nobody waits, unless `settings` say so."""
    return package().Bulkhead(fresh_name("bulkhead"), max_concurrent=permits, **settings)


def queued(permits: int = PERMITS) -> Any:
    """Whoever finds no permit waits, however many do."""
    return bulkhead(permits, max_wait=PATIENCE, max_queue=100_000)


def keyed() -> Any:
    """The argument is the key."""
    return bulkhead(key="x")


def breaker() -> Any:
    """Failure rate over the last 100 calls."""
    seawall = package()
    return seawall.CircuitBreaker(fresh_name(), failure_rate=0.5, window=seawall.calls(100))


def full() -> Any:
    """One whose only permit is out for good."""
    made = bulkhead(1)
    made.__enter__()
    return made
