"""The circuit breaker's settings, in one place for the class, the decorator and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from seawall import lazy
from seawall._core import Outcome
from seawall.windows import Window

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["BreakerSettings", "BreakerState"]

BreakerState: TypeAlias = Literal[
    "closed", "open", "half_open", "forced_open", "disabled", "metrics_only"
]
Seconds: TypeAlias = float | timedelta
Exceptions: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


class BreakerSettings(TypedDict, total=False):
    """Settings of a circuit breaker. Each may be left out, or be None, for its default.

    Attributes:
        failure_threshold: Open after this many failures in a row.
        failure_rate: Open when this share (0 < rate ≤ 1) of the calls in the window failed.
            If none of the three rules is named, 0.5.
        slow_call_rate: Open when this share of the calls in the window was slow.
        slow_call_duration: Seconds from which on a call is slow.
        window: `calls` (default: 100) or `seconds`: what the rates are rates of.
        min_calls: Rates count only once the window holds this many calls. Default 20; never more
            than a count window holds. It does not gate ``failure_threshold``.
        open_duration: Seconds the circuit stays open (default 30); or a backoff of the number of
            times it has re-opened; or a callable of the `Outcome` that opened it, answering
            seconds or None (the default).
        half_open_calls: How many probes may be out at once (default 3).
        success_threshold: Close after this many successful probes, re-open at the first that
            fails. Default: judge ``half_open_calls`` probes by the same rates.
        half_open_max_duration: Seconds after which a probe that has not come back has lost its
            place. Default: the larger of ``open_duration`` and 60.
        on: The exceptions that count: classes, or a predicate. Default `Exception`. Others are
            successes.
        ignore: Exceptions that are neither success nor failure.
        on_result: A predicate of the returned value: true makes it a failure.
        on_event: Called with each `BreakerEvent` of this breaker, on the thread that caused it.
        key: What a call's own circuit is looked up by: a callable of the arguments, or the name
            of one of them. None: one circuit for all calls. Calls whose key is None have one
            together.
        max_keys: How many keys have a circuit at once (default 10 000). Beyond, the least recently
            used are forgotten, but never one that is not closed or has calls in flight; if all of
            those looked at must stay, newcomers share one circuit, `seawall.OTHER_KEYS`.
        key_idle: Seconds (default 600) after which a circuit that nobody used may be forgotten,
            also where there is room.
    """

    failure_threshold: int | None
    failure_rate: float | None
    slow_call_rate: float | None
    slow_call_duration: Seconds | None
    window: Window | None
    min_calls: int | None
    open_duration: Seconds | t.Backoff | Callable[[Outcome[Any]], Seconds | None] | None
    half_open_calls: int | None
    success_threshold: int | None
    half_open_max_duration: Seconds | None
    on: Exceptions | None
    ignore: Exceptions | None
    on_result: Callable[[Any], bool] | None
    on_event: Callable[[t.BreakerEvent], object] | None
    key: Callable[..., Hashable] | str | None
    max_keys: int | None
    key_idle: Seconds | None
