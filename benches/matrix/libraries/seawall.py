"""seawall itself, through its public face."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from benches.matrix.adapter import Adapter, Breaker, Function, Settings
from benches.matrix.clock import Clock, SteppedWall
from benches.matrix.policies import Guard, Pace, Space, Tries


def _settings(settings: Settings) -> dict[str, Any]:
    given: dict[str, Any] = {
        "open_duration": settings.recovery,
        "half_open_calls": settings.half_open,
        "success_threshold": 1,
        "half_open_max_duration": 60,
        "ignore": settings.ignore,
    }
    if settings.counts is not None:
        given["on"] = settings.counts
    if settings.slow is not None:
        import seawall

        return {
            **given,
            "slow_call_duration": settings.slow,
            "slow_call_rate": 1.0,
            "window": seawall.calls(settings.threshold),
            "min_calls": settings.threshold,
        }
    if settings.rate is None:
        return {**given, "failure_threshold": settings.threshold}
    import seawall

    return {
        **given,
        "failure_rate": settings.rate.failures,
        "window": seawall.calls(settings.rate.window),
        "min_calls": settings.rate.min_calls,
    }


class _Breaker(Breaker):
    def __init__(self, breaker: Any) -> None:
        import seawall

        self.open_error = seawall.CircuitOpenError
        self._breaker = breaker

    def protect(self, function: Function) -> Function:
        protected: Function = self._breaker(function)
        return protected

    def call(self, function: Function) -> Any:
        return self._breaker.call(function)

    def state(self) -> str:
        return str(self._breaker.state)

    def force_open(self) -> Any:
        return self._breaker.force_open()

    def block(self) -> AbstractContextManager[Any]:
        block: AbstractContextManager[Any] = self._breaker
        return block

    def async_block(self) -> AbstractAsyncContextManager[Any]:
        block: AbstractAsyncContextManager[Any] = self._breaker
        return block

    def in_flight(self) -> int:
        return int(self._breaker.snapshot().in_flight)


def _nothing(key: str) -> None:
    """What is let in for a key."""


class _Time:
    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._wall = SteppedWall()

    def advance(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def step_wall(self, seconds: float) -> None:
        self._wall.step_wall(seconds)


class Seawall(Adapter):
    """The library under test."""

    name = "seawall"
    module = "seawall"
    policies = ("breaker", "bulkhead", "rate limit", "retry")
    has_rates = True
    has_slow_calls = True
    limits_probes = True
    caveat = "The wall clock is stepped for Python code only; native code keeps the real one."

    def __init__(self) -> None:
        self._made = 0

    def make(self, settings: Settings) -> Breaker:
        self._made += 1
        return self.named(f"matrix-{self._made}", settings)

    def named(self, name: str, settings: Settings) -> Breaker:
        import seawall

        return _Breaker(seawall.CircuitBreaker(name, **_settings(settings)))

    def bulkhead(self, space: Space) -> Guard:
        import seawall

        waiting = {"max_wait": space.wait, "max_queue": space.queue} if space.wait else {}
        made = seawall.Bulkhead(max_concurrent=space.permits, **waiting)
        return Guard(made, seawall.BulkheadFullError)

    def pooled(self, space: Space, seconds: float) -> Guard:
        import seawall

        pool = seawall.Bulkhead("pool", max_concurrent=space.permits, pool="threads")
        limit = seawall.timeout(seconds, name="limit")
        return Guard(seawall.Pipeline("hung", limit, pool), seawall.BulkheadFullError)

    def rate_limit(self, pace: Pace) -> Guard:
        import seawall

        made = seawall.RateLimit(None, pace.limit, per=pace.per, max_wait=pace.wait)
        return Guard(made, seawall.RateLimitedError)

    def keyed_rate_limit(self, pace: Pace, keys: int) -> Callable[[str], bool]:
        import seawall

        each = seawall.RateLimit("keys", pace.limit, per=pace.per, key="key", max_keys=keys)

        def asks(key: str) -> bool:
            return each.try_call(_nothing, key).ok

        return asks

    def retry(self, tries: Tries) -> Guard:
        import seawall

        made = seawall.Retry(
            attempts=tries.attempts,
            on=Exception,
            ignore=tries.never or (),
            backoff=tries.delay,
            max_duration=tries.max_duration,
        )
        return Guard(made)

    @contextlib.contextmanager
    def clock(self) -> Iterator[Clock]:
        from seawall import testing

        with testing.clock() as clock:
            yield _Time(clock)
