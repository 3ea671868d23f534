"""hyx: asyncio only, states as objects."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from benches.matrix.adapter import Adapter, Boom, Breaker, Function, Settings
from benches.matrix.clock import PatchedClock
from benches.matrix.verdict import NotApplicable


class _Breaker(Breaker):
    def __init__(self, settings: Settings) -> None:
        from hyx.circuitbreaker import consecutive_breaker
        from hyx.circuitbreaker.exceptions import BreakerFailing

        if settings.counts is not None:
            raise NotApplicable("takes exception types only, no predicate")
        self.open_error = BreakerFailing
        self._breaker = consecutive_breaker(
            exceptions=Boom if settings.ignore else Exception,
            failure_threshold=settings.threshold,
            recovery_time_secs=settings.recovery,
            recovery_threshold=1,
        )

    def protect(self, function: Function) -> Function:
        return self._breaker(function)

    def state(self) -> str:
        # The decorator's manager hands its state over; `.name` is the library's own word.
        word = self._breaker.state.name
        return {"working": "closed", "failing": "open", "recovering": "half_open"}[word]

    def async_block(self) -> AbstractAsyncContextManager[Any]:
        return self._breaker


class Hyx(Adapter):
    """Resilience primitives for asyncio."""

    name = "hyx"
    module = "hyx"
    kinds = ("async",)
    caveat = "What is ignored is left out of `exceptions`: there is no other way."

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def patch(self, clock: PatchedClock) -> None:
        import hyx.circuitbreaker.states

        hyx.circuitbreaker.states.datetime = clock.datetime
