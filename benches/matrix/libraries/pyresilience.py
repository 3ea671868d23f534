"""pyresilience: one decorator of configs; a registry shares a breaker between functions."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from typing import Any

from benches.matrix.adapter import Adapter, Breaker, Function, Settings
from benches.matrix.clock import PatchedClock
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


class PyResilience(Adapter):
    """One decorator for everything."""

    name = "pyresilience"
    module = "pyresilience"
    has_rates = True

    def __init__(self) -> None:
        self._shared: Any = None

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def named(self, name: str, settings: Settings) -> Breaker:
        import pyresilience

        self._shared = self._shared or pyresilience.ResilienceRegistry()
        return _Breaker(settings, name, self._shared)

    def patch(self, clock: PatchedClock) -> None:
        import pyresilience._circuit_breaker as module

        module._monotonic = clock.monotonic
