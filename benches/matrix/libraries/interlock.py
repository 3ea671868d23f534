"""interlock-cb: rate windows, generations, sync and async in one class."""

# mypy: disable-error-code="attr-defined,import-untyped,no-any-return,union-attr"

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from benches.matrix.adapter import Breaker, Function, PatchedAdapter, Settings
from benches.matrix.clock import PatchedClock
from benches.matrix.verdict import NotApplicable


class _Classifier:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def is_failure(self, *, result: object, exception: Exception | None) -> bool:
        return exception is not None and self._settings.is_failure(exception)


def _config(settings: Settings) -> Any:
    import interlock

    rate = settings.rate
    return interlock.Config(
        failure_rate_threshold=1.0 if rate is None else rate.failures,
        minimum_number_of_calls=settings.threshold if rate is None else rate.min_calls,
        window_size=settings.threshold if rate is None else rate.window,
        permitted_calls_in_half_open=settings.half_open,
        max_concurrent_probes=settings.half_open,
        wait_duration_in_open=settings.recovery,
    )


class _Breaker(Breaker):
    def __init__(self, breaker: Any) -> None:
        import interlock

        self.open_error = interlock.CircuitOpenError
        self._breaker = breaker

    def protect(self, function: Function) -> Function:
        return self._breaker(function)

    def call(self, function: Function) -> Any:
        return self._breaker.call(function)

    def state(self) -> str:
        return self._breaker.state.name.lower()

    def force_open(self) -> Any:
        return self._breaker.force_open()

    def block(self) -> AbstractContextManager[Any]:
        return self._breaker

    def async_block(self) -> AbstractAsyncContextManager[Any]:
        return self._breaker


class Interlock(PatchedAdapter):
    """The strongest peer."""

    name = "interlock-cb"
    module = "interlock"
    has_rates = True
    limits_probes = True
    caveat = (
        "It has rates only: three in a row is a rate of 1.0 over a window of three. "
        "What is ignored is classified as no failure: there is no other way in closed. "
        "It has `call_async` for a lambda round an async client; its decorator takes it for sync."
    )

    def __init__(self) -> None:
        self._clock: PatchedClock | None = None
        self._registry: Any = None

    def make(self, settings: Settings) -> Breaker:
        import interlock

        return _Breaker(
            interlock.CircuitBreaker(
                name="matrix",
                config=_config(settings),
                clock=self._clock,
                classifier=_Classifier(settings),
            )
        )

    def named(self, name: str, settings: Settings) -> Breaker:
        import interlock

        if self._clock is None:
            raise NotApplicable("no clock")
        self._registry = self._registry or interlock.Registry(clock=self._clock)
        return _Breaker(self._registry.get(name, config=_config(settings)))

    def patch(self, clock: PatchedClock) -> None:
        self._clock = clock
