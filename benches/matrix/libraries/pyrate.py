"""pyrate-limiter: buckets that keep an entry for each call."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import functools
import inspect
from typing import Any

from benches.matrix.adapter import Adapter, Function
from benches.matrix.policies import Guard, Pace


class _Limited(Exception):
    """Raised where the answer is no."""


class PyrateLimiter(Adapter):
    """Of threads and tasks."""

    name = "pyrate-limiter"
    module = "pyrate_limiter"
    policies = ("rate limit",)
    caveat = "A bucket in memory, asked by `try_acquire` with `timeout=`."

    def rate_limit(self, pace: Pace) -> Guard:
        from pyrate_limiter import Limiter, Rate

        limiter = Limiter(Rate(pace.limit, round(pace.per * 1000)))
        how = {"timeout": pace.wait} if pace.wait else {"blocking": False}

        def protect(function: Function) -> Function:
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def asynchronous(*args: Any) -> Any:
                    if not await limiter.try_acquire_async("matrix", **how):
                        raise _Limited
                    return await function(*args)

                return asynchronous

            @functools.wraps(function)
            def wrapper(*args: Any) -> Any:
                if not limiter.try_acquire("matrix", **how):
                    raise _Limited
                return function(*args)

            return wrapper

        return Guard(protect, _Limited)
