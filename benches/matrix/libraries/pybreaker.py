"""pybreaker: one lock round the call, consecutive failures, sync functions and generators."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock


class _Breaker(Breaker):
    def __init__(self, settings: Settings, storage: Any = None) -> None:
        import pybreaker

        self.open_error = pybreaker.CircuitBreakerError
        exclude: list[Any] = list(settings.ignore)
        if (counts := settings.counts) is not None:
            exclude.append(lambda error: not counts(error))
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=settings.threshold,
            reset_timeout=settings.recovery,
            exclude=exclude,
            state_storage=storage,
        )

    def protect(self, function: Function) -> Function:
        return self._breaker(function)

    def state(self) -> str:
        return self._breaker.current_state.replace("-", "_")

    def force_open(self) -> Any:
        return self._breaker.open()

    def block(self) -> AbstractContextManager[Any]:
        return self._breaker.calling()


class PyBreaker(PatchedAdapter):
    """The one that everybody knows."""

    name = "pybreaker"
    module = "pybreaker"
    kinds = ("sync",)
    caveat = (
        "Async functions are supported with Tornado only; `@breaker` takes an `async def` as it is."
    )

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def shared(self, settings: Settings, server: Any) -> Breaker:
        import fakeredis
        import pybreaker

        redis = fakeredis.FakeStrictRedis(server=server)
        return _Breaker(settings, pybreaker.CircuitRedisStorage(pybreaker.STATE_CLOSED, redis))

    def patch(self, clock: PatchedClock) -> None:
        import pybreaker

        pybreaker.datetime = clock.datetime
