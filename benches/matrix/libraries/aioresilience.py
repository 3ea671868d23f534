"""aioresilience: asyncio only, a lock for the bookkeeping."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

import importlib
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock
from benches.matrix.policies import Guard, Space


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "failure_threshold": settings.threshold,
        "recovery_timeout": settings.recovery,
        "success_threshold": 1,
        "half_open_max_calls": settings.half_open,
        "failure_predicate": settings.is_failure,
    }


class _Breaker(Breaker):
    def __init__(self, circuit: Any) -> None:
        import aioresilience

        self.open_error = aioresilience.CircuitBreakerOpenError
        self._circuit = circuit

    def protect(self, function: Function) -> Function:
        import aioresilience

        return aioresilience.with_circuit_breaker(self._circuit)(function)

    def call(self, function: Function) -> Any:
        return self._circuit.call(function)

    def state(self) -> str:
        return self._circuit.get_state().name.lower()


class AioResilience(PatchedAdapter):
    """Patterns for asyncio."""

    name = "aioresilience"
    module = "aioresilience"
    policies = ("breaker", "bulkhead")
    kinds = ("async",)
    limits_probes = True

    def make(self, settings: Settings) -> Breaker:
        import aioresilience

        config = aioresilience.CircuitConfig(**_config(settings))
        return _Breaker(aioresilience.CircuitBreaker(name="matrix", config=config))

    def named(self, name: str, settings: Settings) -> Breaker:
        import aioresilience

        return _Breaker(aioresilience.get_circuit_breaker(name, **_config(settings)))

    def bulkhead(self, space: Space) -> Guard:
        from aioresilience import Bulkhead, BulkheadConfig, BulkheadFullError, with_bulkhead

        waiting = (1_000 if space.queue is None else space.queue) if space.wait else 0
        made = Bulkhead(
            config=BulkheadConfig(
                max_concurrent=space.permits, max_waiting=waiting, timeout=space.wait or None
            )
        )
        return Guard(with_bulkhead(made), BulkheadFullError)

    def patch(self, clock: PatchedClock) -> None:
        # The package gives the module's name to a function as well.
        module: Any = importlib.import_module("aioresilience.circuit_breaker")
        module.time = clock.module()
