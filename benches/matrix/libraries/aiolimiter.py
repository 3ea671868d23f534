"""aiolimiter: a leaky bucket for tasks, as a block."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import functools
from typing import Any

from benches.matrix.adapter import Adapter, Function
from benches.matrix.policies import Guard, Pace
from benches.matrix.verdict import NotApplicable

_FOR_EVER = 10.0
"""Seconds from which on a scenario means that callers wait as long as it takes."""


class AioLimiter(Adapter):
    """Everybody waits."""

    name = "aiolimiter"
    module = "aiolimiter"
    policies = ("rate limit",)
    kinds = ("async",)

    def rate_limit(self, pace: Pace) -> Guard:
        from aiolimiter import AsyncLimiter

        if pace.wait < _FOR_EVER:
            raise NotApplicable("everybody waits, as long as it takes")
        limiter = AsyncLimiter(pace.limit, pace.per)

        def protect(function: Function) -> Function:
            @functools.wraps(function)
            async def wrapper(*args: Any) -> Any:
                async with limiter:
                    return await function(*args)

            return wrapper

        return Guard(protect)
