"""backon: a retry library's breaker; `call` and `async_call`, no decorator that wraps."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

import functools
import inspect
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock
from benches.matrix.verdict import NotApplicable


class _Breaker(Breaker):
    def __init__(self, settings: Settings) -> None:
        import backon

        if settings.counts is not None or settings.ignore:
            raise NotApplicable("every exception counts, nothing can be ignored")
        self.open_error = backon.CircuitOpenError
        self._breaker = backon.CircuitBreaker(
            failure_threshold=settings.threshold,
            recovery_timeout=settings.recovery,
            half_open_max_calls=settings.half_open,
        )

    def protect(self, function: Function) -> Function:
        if inspect.isasyncgenfunction(function):
            raise NotApplicable("call() takes functions")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_async(*args: Any) -> Any:
                return await self._breaker.async_call(function, *args)

            return call_async

        @functools.wraps(function)
        def call(*args: Any) -> Any:
            return self._breaker.call(function, *args)

        return call

    def decorate(self, function: Function) -> Function:
        decorated: Function = self._breaker(function)
        return decorated

    def state(self) -> str:
        return self._breaker.state.value.lower()

    def block(self) -> AbstractContextManager[Any]:
        return self._breaker

    def async_block(self) -> AbstractAsyncContextManager[Any]:
        return self._breaker


class Backon(PatchedAdapter):
    """A breaker beside retries."""

    name = "backon"
    module = "backon"
    limits_probes = True
    caveat = "Functions are called through `breaker.call` and `breaker.async_call`."

    def make(self, settings: Settings) -> Breaker:
        return _Breaker(settings)

    def patch(self, clock: PatchedClock) -> None:
        import backon._circuit_breaker as module

        module.time = clock.module()
