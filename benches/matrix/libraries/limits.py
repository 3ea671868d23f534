"""limits: strategies over storages; it answers whether a call may go on."""

# mypy: disable-error-code="import-not-found,import-untyped,no-any-return"

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from benches.matrix.adapter import Adapter, Function
from benches.matrix.policies import Guard, Pace
from benches.matrix.verdict import NotApplicable


class _Limited(Exception):
    """Raised where the answer is no."""


class Limits(Adapter):
    """The one behind Flask-Limiter and slowapi."""

    name = "limits"
    module = "limits"
    policies = ("rate limit",)
    kinds = ("sync",)
    caveat = "A moving window, kept in memory."

    def rate_limit(self, pace: Pace) -> Guard:
        if pace.wait:
            raise NotApplicable("nobody waits")
        asks = self.keyed_rate_limit(pace, 0)

        def protect(function: Function) -> Function:
            @functools.wraps(function)
            def wrapper(*args: Any) -> Any:
                if not asks("matrix"):
                    raise _Limited
                return function(*args)

            return wrapper

        return Guard(protect, _Limited)

    def keyed_rate_limit(self, pace: Pace, keys: int) -> Callable[[str], bool]:
        from limits import RateLimitItemPerSecond
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        limiter = MovingWindowRateLimiter(MemoryStorage())
        return functools.partial(limiter.hit, RateLimitItemPerSecond(pace.limit, int(pace.per)))
