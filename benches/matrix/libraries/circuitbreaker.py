"""circuitbreaker: consecutive failures, half-open as a computed state, everything decorated."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock


class _Breaker(Breaker):
    def __init__(self, settings: Settings, name: str | None = None) -> None:
        import circuitbreaker

        self.open_error = circuitbreaker.CircuitBreakerError
        self._breaker = circuitbreaker.CircuitBreaker(
            failure_threshold=settings.threshold,
            recovery_timeout=settings.recovery,
            expected_exception=lambda _, error: settings.is_failure(error),
            name=name,
        )

    def protect(self, function: Function) -> Function:
        return self._breaker(function)

    def state(self) -> str:
        return self._breaker.state

    def block(self) -> AbstractContextManager[Any]:
        return self._breaker


class Circuitbreaker(PatchedAdapter):
    """The smallest."""

    name = "circuitbreaker"
    module = "circuitbreaker"
    caveat = "What is ignored is left out of `expected_exception`: there is no other way."

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def named(self, name: str, settings: Settings) -> Breaker:
        return _Breaker(settings, name)

    def listed(self, name: str) -> int | None:
        from circuitbreaker import CircuitBreakerMonitor

        return sum(circuit.name == name for circuit in CircuitBreakerMonitor.get_circuits())

    def patch(self, clock: PatchedClock) -> None:
        import circuitbreaker

        circuitbreaker.monotonic = clock.monotonic
        circuitbreaker.datetime = clock.datetime
