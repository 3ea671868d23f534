"""The peers, each used as its own documentation shows, with state in this process's memory.

What has no decorator of its own is one written by hand here: `limits` answers whether a call may
go on, aiolimiter is a block. pyrate-limiter, `limits` with a moving window and throttled-py's log
keep an entry for each call of the window, the others a number or two.
"""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

from benches.python.functions import Decorator
from benches.python.harness import AsyncFunction, Function
from benches.python.ours import fresh_name

#: How long a call may wait, where it may.
PATIENCE = 60.0


class LimitedError(Exception):
    """Raised by decorators by hand."""


@dataclass(frozen=True, slots=True)
class Quota:
    """So many calls in so many seconds, at once if need be; whether one that is too soon waits."""

    limit: int
    seconds: float = 1
    waits: bool = False


Peer = Callable[[Quota], Decorator]


def _asking(allowed: Callable[[], object]) -> Decorator:
    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not allowed():
                raise LimitedError
            return function(*args, **kwargs)

        return wrapper

    return decorate


def _limits(strategy: str, quota: Quota) -> Decorator:
    limits = import_module("limits")
    limiter = getattr(import_module("limits.strategies"), strategy)(
        import_module("limits.storage").MemoryStorage()
    )
    item = limits.RateLimitItemPerSecond(quota.limit, int(quota.seconds))
    return _asking(functools.partial(limiter.hit, item, fresh_name("limits")))


def limits_fixed(quota: Quota) -> Decorator:
    """A count for each window."""
    return _limits("FixedWindowRateLimiter", quota)


def limits_moving(quota: Quota) -> Decorator:
    """An entry for each call."""
    return _limits("MovingWindowRateLimiter", quota)


def limits_sliding(quota: Quota) -> Decorator:
    """Two counts, of which the older one is weighted."""
    return _limits("SlidingWindowCounterRateLimiter", quota)


def _throttled(package: Any, quota: Quota) -> Decorator:
    # It counts whole seconds; what is there at once is said apart.
    seconds = max(quota.seconds, 1)
    limit = round(quota.limit * seconds / quota.seconds)
    made: Decorator = package.Throttled(
        key=fresh_name("throttled"),
        using="gcra",
        quota=import_module("throttled").per_duration(
            timedelta(seconds=seconds), limit, quota.limit
        ),
        timeout=PATIENCE if quota.waits else None,
    )
    return made


def throttled(quota: Quota) -> Decorator:
    """The same algorithm as seawall's."""
    return _throttled(import_module("throttled"), quota)


def throttled_async(quota: Quota) -> Decorator:
    """The same for coroutine functions."""
    return _throttled(import_module("throttled.asyncio"), quota)


def _pyrate(quota: Quota) -> Any:
    package = import_module("pyrate_limiter")
    return package.Limiter(package.Rate(quota.limit, round(quota.seconds * 1000)))


def pyrate(quota: Quota) -> Decorator:
    """An entry for each call, and a thread that throws old ones away."""
    limiter = _pyrate(quota)
    return _asking(functools.partial(limiter.try_acquire, "bench", blocking=quota.waits))


def pyrate_async(quota: Quota) -> Decorator:
    """The same for coroutine functions."""
    limiter = _pyrate(quota)

    def decorate(function: AsyncFunction) -> AsyncFunction:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not await limiter.try_acquire_async("bench", blocking=quota.waits):
                raise LimitedError
            return await function(*args, **kwargs)

        return wrapper

    return decorate


def pyresilience(quota: Quota) -> Decorator:
    """A bucket; who waits looks again after at most 10 ms."""
    package = import_module("pyresilience")
    config = package.RateLimiterConfig(
        max_calls=quota.limit, period=quota.seconds, max_wait=PATIENCE if quota.waits else 0.0
    )
    made: Decorator = package.resilient(rate_limiter=config)
    return made


def hyx(quota: Quota) -> Decorator:
    """A bucket, which needs a running loop to be made; it lets nobody wait."""

    async def make() -> Any:
        return import_module("hyx.ratelimit").tokenbucket(quota.limit, quota.seconds)

    made: Decorator = asyncio.get_event_loop().run_until_complete(make())
    return made


def aiolimiter(quota: Quota) -> Decorator:
    """A leaky bucket; who comes too soon always waits."""
    limiter = import_module("aiolimiter").AsyncLimiter(quota.limit, quota.seconds)

    def decorate(function: AsyncFunction) -> AsyncFunction:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            async with limiter:
                return await function(*args, **kwargs)

        return wrapper

    return decorate


SYNC: dict[str, Peer] = {
    "limits, fixed window": limits_fixed,
    "limits, moving window": limits_moving,
    "limits, sliding counter": limits_sliding,
    "throttled-py, GCRA": throttled,
    "pyrate-limiter": pyrate,
    "pyresilience": pyresilience,
}
ASYNC: dict[str, Peer] = {
    "aiolimiter": aiolimiter,
    "throttled-py, GCRA": throttled_async,
    "pyrate-limiter": pyrate_async,
    "hyx": hyx,
    "pyresilience": pyresilience,
}
