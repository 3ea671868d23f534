"""hyx: asyncio only, states as objects."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from benches.matrix.adapter import Boom, Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock
from benches.matrix.policies import Guard, Pace, Space, Tries
from benches.matrix.verdict import NotApplicable

_FOR_EVER = 10.0
"""Seconds from which on a scenario means that callers wait as long as it takes."""


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


class Hyx(PatchedAdapter):
    """Resilience primitives for asyncio."""

    name = "hyx"
    module = "hyx"
    policies = ("breaker", "bulkhead", "rate limit", "retry")
    kinds = ("async",)
    caveat = "What is ignored is left out of `exceptions`: there is no other way."

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def bulkhead(self, space: Space) -> Guard:
        from hyx.bulkhead import bulkhead
        from hyx.bulkhead.exceptions import BulkheadFull

        if 0 < space.wait < _FOR_EVER:
            raise NotApplicable("those who wait do so for ever")
        waiting = (1_000 if space.queue is None else space.queue) if space.wait else 0
        made = bulkhead(max_concurrency=space.permits, max_capacity=space.permits + waiting)
        return Guard(made, BulkheadFull)

    def rate_limit(self, pace: Pace) -> Guard:
        from hyx.ratelimit import tokenbucket
        from hyx.ratelimit.exceptions import RateLimitExceeded

        if pace.wait:
            raise NotApplicable("nobody waits")
        return Guard(tokenbucket(pace.limit, pace.per), RateLimitExceeded)

    def retry(self, tries: Tries) -> Guard:
        from hyx.retry import retry

        if tries.max_duration is not None:
            raise NotApplicable("no limit of time")
        on = Boom if tries.never else Exception
        return Guard(retry(on=on, attempts=tries.attempts, backoff=tries.delay))

    def patch(self, clock: PatchedClock) -> None:
        import hyx.circuitbreaker.states

        hyx.circuitbreaker.states.datetime = clock.datetime
