"""pyresilience: one decorator of configs; a registry shares a breaker between functions."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock
from benches.matrix.policies import Guard, Pace, Space, Tries
from benches.matrix.verdict import NotApplicable


class _Breaker(Breaker):
    def __init__(self, settings: Settings, name: str = "matrix", registry: Any = None) -> None:
        import pyresilience

        if settings.counts is not None:
            raise NotApplicable("takes exception types only, no predicate")
        self.open_error = pyresilience.CircuitOpenError
        rate: dict[str, Any] = {}
        if settings.rate is not None:
            rate = {
                "sliding_window_size": settings.rate.window,
                "failure_rate_threshold": settings.rate.failures,
                "minimum_calls": settings.rate.min_calls,
            }
        self._name = name
        self._registry = registry or pyresilience.ResilienceRegistry()
        self._registry.register(
            name,
            pyresilience.ResilienceConfig(
                circuit_breaker=pyresilience.CircuitBreakerConfig(
                    failure_threshold=settings.threshold,
                    recovery_timeout=settings.recovery,
                    success_threshold=1,
                    ignore_on=settings.ignore,
                    **rate,
                )
            ),
        )
        self._executor: Any = None

    def protect(self, function: Function) -> Function:
        protected = self._registry.decorator(self._name)(function)
        self._executor = protected._executor
        return protected

    def state(self) -> str:
        return self._executor._circuit_breaker.state.value

    def force_open(self) -> Any:
        return self._executor._circuit_breaker.force_open()


def _shared(**configs: Any) -> Callable[[Function], Function]:
    """Functions that one registry protects by one name share its state."""
    import pyresilience

    registry = pyresilience.ResilienceRegistry()
    registry.register("matrix", pyresilience.ResilienceConfig(**configs))
    return registry.decorator("matrix")


class PyResilience(PatchedAdapter):
    """One decorator for everything."""

    name = "pyresilience"
    module = "pyresilience"
    policies = ("breaker", "bulkhead", "rate limit", "retry")
    has_rates = True

    def __init__(self) -> None:
        self._shared: Any = None

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def named(self, name: str, settings: Settings) -> Breaker:
        import pyresilience

        self._shared = self._shared or pyresilience.ResilienceRegistry()
        return _Breaker(settings, name, self._shared)

    def bulkhead(self, space: Space) -> Guard:
        import pyresilience

        if space.queue is not None:
            raise NotApplicable("as many wait as come")
        config = pyresilience.BulkheadConfig(max_concurrent=space.permits, max_wait=space.wait)
        return Guard(_shared(bulkhead=config), pyresilience.BulkheadFullError)

    def pooled(self, space: Space, seconds: float) -> Guard:
        import pyresilience

        config = pyresilience.TimeoutConfig(seconds=seconds, pool_size=space.permits)
        return Guard(_shared(timeout=config), pyresilience.BulkheadFullError)

    def rate_limit(self, pace: Pace) -> Guard:
        import pyresilience

        config = pyresilience.RateLimiterConfig(
            max_calls=pace.limit, period=pace.per, max_wait=pace.wait
        )
        return Guard(_shared(rate_limiter=config), pyresilience.RateLimitExceededError)

    def retry(self, tries: Tries) -> Guard:
        import pyresilience

        if tries.max_duration is not None:
            raise NotApplicable("no limit of time but a timeout's")
        config = pyresilience.RetryConfig(
            max_attempts=tries.attempts,
            delay=tries.delay,
            backoff_factor=1,
            jitter=False,
            ignore_on=(tries.never,) if tries.never else (),
        )
        return Guard(_shared(retry=config))

    def patch(self, clock: PatchedClock) -> None:
        import pyresilience._circuit_breaker as module

        module._monotonic = clock.monotonic
