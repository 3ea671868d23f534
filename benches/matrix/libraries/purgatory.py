"""purgatory: a factory for async and one for sync, breakers looked up by name at each call."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

import inspect
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings, now
from benches.matrix.clock import PatchedClock


class _Breaker(Breaker):
    def __init__(self, settings: Settings, name: str = "matrix", factories: Any = None) -> None:
        import purgatory
        from purgatory.domain.model import OpenedState

        self.open_error = OpenedState
        made: Any = factories or (
            purgatory.SyncCircuitBreakerFactory(),
            purgatory.AsyncCircuitBreakerFactory(),
        )
        self._sync, self._async = made
        exclude: list[Any] = list(settings.ignore)
        if (counts := settings.counts) is not None:
            exclude.append((Exception, lambda error: not counts(error)))
        self._settings = (name, settings.threshold, settings.recovery, exclude)
        self._async_last = False

    def protect(self, function: Function) -> Function:
        self._async_last = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(
            function
        )
        factory = self._async if self._async_last else self._sync
        return factory(*self._settings)(function)

    def state(self) -> str:
        if self._async_last:
            breaker = now(self._async.get_breaker(*self._settings))
        else:
            breaker = self._sync.get_breaker(*self._settings)
        return {"opened": "open", "half-opened": "half_open"}.get(breaker.context.state, "closed")

    def block(self) -> AbstractContextManager[Any]:
        return self._sync.get_breaker(*self._settings)

    def async_block(self) -> AbstractAsyncContextManager[Any]:
        self._async_last = True
        return now(self._async.get_breaker(*self._settings))


class Purgatory(PatchedAdapter):
    """Named breakers from a factory."""

    name = "purgatory"
    module = "purgatory"
    one_object = False

    def __init__(self) -> None:
        self._shared: Any = None

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def named(self, name: str, settings: Settings) -> Breaker:
        import purgatory

        self._shared = self._shared or (
            purgatory.SyncCircuitBreakerFactory(),
            purgatory.AsyncCircuitBreakerFactory(),
        )
        return _Breaker(settings, name, self._shared)

    def patch(self, clock: PatchedClock) -> None:
        import purgatory.domain.model

        purgatory.domain.model.time = clock.module()
