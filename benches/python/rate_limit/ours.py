"""seawall's contenders, and what all contenders are called."""

from typing import Any

from benches.python.ours import fresh_name, package

FLOOR = "seawall empty pipeline"
BREAKER = "seawall breaker"
SLOW = "seawall breaker, slow calls"
FUSED = "seawall breaker > rate limit"
OURS = "seawall rate limit"
QUEUED = "seawall rate limit, that may wait"
COST = "seawall rate limit, calls that cost 2"
FREE = "seawall rate limit, calls that cost nothing"
KEYED = "seawall rate limit, a limit a key"
CALENDAR = "seawall rate limit, a day"
TRY_CALL = "seawall rate limit.try_call"

#: Calls a second: no race comes near it.
PLENTY = 100_000_000
HOUR = 3600.0


def rate_limit(limit: float = PLENTY, **settings: Any) -> Any:
    """So many in a second; nobody waits, unless `settings` say so."""
    return package().RateLimit(fresh_name("limit"), limit, **settings)


def queued() -> Any:
    """Whoever comes too soon waits."""
    return rate_limit(max_wait=60.0)


def costly() -> Any:
    """A call takes two of the limit."""
    return rate_limit(cost=2)


def free() -> Any:
    """A call reads the clock, and that is all."""
    return rate_limit(cost=0)


def keyed() -> Any:
    """The argument is the key."""
    return rate_limit(key="x")


def daily() -> Any:
    """A window of the calendar."""
    return rate_limit(1_000_000_000, per="day")


def breaker(**settings: Any) -> Any:
    """Failure rate over the last 100 calls."""
    seawall = package()
    chosen = {"failure_rate": 0.5, "window": seawall.calls(100)} | settings
    return seawall.CircuitBreaker(fresh_name(), **chosen)


def slow() -> Any:
    """A breaker that reads the precise clock twice, and does little else besides."""
    return breaker(failure_rate=None, slow_call_rate=0.5, slow_call_duration=1.0)


def used_up() -> Any:
    """One an hour, and this one is gone."""
    made = rate_limit(1, per=HOUR)
    made.call(int)
    return made


def steady(rate: float) -> Any:
    """So many a second, one after the other; who comes too soon waits."""
    return rate_limit(rate, burst=1, max_wait=60.0)
