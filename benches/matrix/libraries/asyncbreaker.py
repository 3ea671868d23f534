"""asyncbreaker: aiobreaker rewritten for asyncio only, with storages that are awaited."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from datetime import timedelta
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings, now
from benches.matrix.clock import PatchedClock


class _Breaker(Breaker):
    def __init__(self, settings: Settings, storage: Any = None) -> None:
        import asyncbreaker

        self.open_error = asyncbreaker.CircuitError
        exclude: list[Any] = list(settings.ignore)
        if (counts := settings.counts) is not None:
            exclude.append(lambda error: not counts(error))
        self._breaker = asyncbreaker.CircuitBreaker(
            fail_max=settings.threshold,
            timeout_duration=timedelta(seconds=settings.recovery),
            exclude=exclude,
            state_storage=storage,
        )

    def protect(self, function: Function) -> Function:
        return self._breaker(function)

    def state(self) -> str:
        return now(self._breaker.get_current_state()).name.lower()

    def force_open(self) -> Any:
        return self._breaker.open()


class AsyncBreaker(PatchedAdapter):
    """aiobreaker's successor."""

    name = "asyncbreaker"
    module = "asyncbreaker"
    kinds = ("async",)

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def shared(self, settings: Settings, server: Any) -> Breaker:
        import asyncbreaker
        import fakeredis

        redis = fakeredis.FakeAsyncRedis(server=server)
        return _Breaker(settings, asyncbreaker.RedisStorage(redis=redis))

    def patch(self, clock: PatchedClock) -> None:
        import asyncbreaker.timeutils

        asyncbreaker.timeutils.datetime = clock.datetime
