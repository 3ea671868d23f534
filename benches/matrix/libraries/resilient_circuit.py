"""resilient-circuit: failures as a fraction of a window, state kept in a storage."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock


class _Breaker(Breaker):
    def __init__(self, settings: Settings, name: str | None = None) -> None:
        from resilient_circuit import CircuitProtectorPolicy
        from resilient_circuit.exceptions import ProtectedCallError
        from resilient_circuit.storage import InMemoryStorage

        self.open_error = ProtectedCallError
        if settings.rate is not None:
            limit = Fraction(settings.rate.failures).limit_denominator(settings.rate.window)
        elif settings.threshold == 1:
            limit = Fraction(1, 1)
        else:
            limit = Fraction(settings.threshold - 1, settings.threshold)
        self._policy = CircuitProtectorPolicy(
            resource_key=name,
            storage=InMemoryStorage(),
            cooldown=timedelta(seconds=settings.recovery),
            failure_limit=limit,
            success_limit=Fraction(1, 1),
            should_handle=settings.is_failure,
        )

    def protect(self, function: Function) -> Function:
        return self._policy(function)

    def state(self) -> str:
        return self._policy.status.name.lower()

    def force_open(self) -> Any:
        from resilient_circuit import CircuitState

        self._policy.status = CircuitState.OPEN


class ResilientCircuit(PatchedAdapter):
    """Fractions of a window."""

    name = "resilient-circuit"
    module = "resilient_circuit"
    has_rates = True
    caveat = (
        'A limit of 3/3 reduces to 1/1, so "three in a row" can\'t be said; it is set to 2/3, '
        "which three in a row reach as well."
    )

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def named(self, name: str, settings: Settings) -> Breaker:
        return _Breaker(settings, name)

    def patch(self, clock: PatchedClock) -> None:
        import resilient_circuit.circuit_breaker
        import resilient_circuit.status
        import resilient_circuit.storage.memory as memory

        shifted = clock.module()
        resilient_circuit.circuit_breaker.time = shifted
        resilient_circuit.status.time = shifted
        if hasattr(memory, "time"):
            memory.time = shifted
