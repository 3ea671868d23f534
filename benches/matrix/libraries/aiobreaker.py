"""aiobreaker: pybreaker's design on asyncio, with sync functions too."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from datetime import timedelta
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock


class _Breaker(Breaker):
    def __init__(self, settings: Settings, storage: Any = None) -> None:
        import aiobreaker

        self.open_error = aiobreaker.CircuitBreakerError
        exclude: list[Any] = list(settings.ignore)
        if (counts := settings.counts) is not None:
            exclude.append(lambda error: not counts(error))
        self._breaker = aiobreaker.CircuitBreaker(
            fail_max=settings.threshold,
            timeout_duration=timedelta(seconds=settings.recovery),
            exclude=exclude,
            state_storage=storage,
        )

    def protect(self, function: Function) -> Function:
        return self._breaker(function)

    def state(self) -> str:
        return self._breaker.current_state.name.lower()

    def force_open(self) -> Any:
        return self._breaker.open()

    def retry_after(self, error: BaseException) -> float | None:
        return error.time_remaining.total_seconds()


class AioBreaker(PatchedAdapter):
    """pybreaker's fork."""

    name = "aiobreaker"
    module = "aiobreaker"

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def shared(self, settings: Settings, server: Any) -> Breaker:
        import aiobreaker
        import fakeredis
        from aiobreaker.storage.redis import CircuitRedisStorage

        redis = fakeredis.FakeStrictRedis(server=server)
        closed = aiobreaker.CircuitBreakerState.CLOSED
        return _Breaker(settings, CircuitRedisStorage(closed, redis))

    def patch(self, clock: PatchedClock) -> None:
        import aiobreaker.circuitbreaker
        import aiobreaker.state

        aiobreaker.circuitbreaker.datetime = clock.datetime
        aiobreaker.state.datetime = clock.datetime
