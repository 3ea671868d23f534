"""fluxgate: a class for sync and one for asyncio, rules composed of trippers."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

import inspect
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock


class _Breaker(Breaker):
    def __init__(self, settings: Settings) -> None:
        import fluxgate
        from fluxgate import permits, retries, trackers, trippers, windows

        self.open_error = fluxgate.CallNotPermittedError
        if (rate := settings.rate) is None:
            closed = trippers.Closed() & trippers.FailureStreak(settings.threshold)
            window = windows.CountWindow(100)
        else:
            window = windows.CountWindow(rate.window)
            closed = trippers.MinRequests(rate.min_calls) & trippers.FailureRate(rate.failures)
        common: dict[str, Any] = {
            "window": window,
            "tracker": trackers.Custom(settings.is_failure),
            "tripper": closed | (trippers.HalfOpened() & trippers.FailureStreak(1)),
            "retry": retries.Cooldown(settings.recovery),
            "permit": permits.All(),
        }
        self._sync = fluxgate.CircuitBreaker(**common)
        self._async = fluxgate.AsyncCircuitBreaker(**common, max_half_open_calls=settings.half_open)
        self._last: Any = self._sync

    def protect(self, function: Function) -> Function:
        asynchronous = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
        self._last = self._async if asynchronous else self._sync
        return self._last(function)

    def state(self) -> str:
        return self._last.info().state

    def force_open(self) -> Any:
        return self._last.force_open()


class Fluxgate(PatchedAdapter):
    """Composable rules."""

    name = "fluxgate"
    module = "fluxgate"
    has_rates = True
    one_object = False
    limits_probes = True
    caveat = (
        "Its sync breaker says itself that it is not thread-safe and has no limit on probes; "
        "the permit strategy is the one that lets all through, the others decide by chance."
    )

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def patch(self, clock: PatchedClock) -> None:
        import fluxgate.circuitbreaker
        import fluxgate.permits
        import fluxgate.retries

        shifted = clock.module()
        fluxgate.circuitbreaker.time = shifted
        fluxgate.retries.time = shifted
        fluxgate.permits.time = clock.time
