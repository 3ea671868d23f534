"""seawall's contenders.

A retry publishes that it runs once there is a second one in the process that could be inside of
it. So a race has one contender of seawall's that retries, or says that it has more.
"""

from typing import Any

from benches.python.ours import fresh_name, package

FLOOR = "seawall empty pipeline"
COUNT = "seawall breaker, count window"
TIME = "seawall breaker, time window"
RETRY = "seawall retry"
GUARDED = "seawall retry, one of two"
BUDGETED = "seawall retry with a budget"


def retry(**settings: Any) -> Any:
    """Three attempts after `ValueError`, the next one at once."""
    chosen = {"on": ValueError, "attempts": 3, "backoff": 0} | settings
    return package().Retry(fresh_name("retry"), **chosen)


def backing_off() -> Any:
    """Exponential backoff with full jitter, as by default."""
    return retry(backoff=None)


def budgeted() -> Any:
    """As `retry`, out of a budget that no scenario exhausts."""
    budget = package().RetryBudget(fresh_name("budget"))
    return retry(budget=budget)


def count_window() -> Any:
    """A breaker that reads no clock."""
    seawall = package()
    return seawall.CircuitBreaker(fresh_name(), failure_rate=0.5, window=seawall.calls(100))


def time_window() -> Any:
    """A breaker that reads a coarse clock and does next to nothing else in addition."""
    seawall = package()
    return seawall.CircuitBreaker(fresh_name(), failure_rate=0.5, window=seawall.seconds(60))
