"""The circuit breaker at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seawall.policies.breaker.settings import BreakerState

__all__ = ["BreakerSnapshot"]


@dataclass(frozen=True, slots=True)
class BreakerSnapshot:
    """State and counters of a circuit breaker at one moment.

    Attributes:
        name: Its name.
        kind: ``"breaker"``.
        key: Which of a keyed policy's states this is; None: all of them, that of calls without a
            key, or the only one there is.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Calls since it was made, by outcome: ``success``, ``failure``, ``ignored``,
            ``cancelled``, ``late`` (ended after the state that let it in), ``rejected``; and
            ``slow``, which says of some of the others that they were.
        in_flight: Calls let in and not ended.
        state: Its state.
        generation: 1, and one more for each transition there was: of the key's circuit, or of
            all.
        failure_rate: Share of failed calls in the window; None while it holds none.
        slow_call_rate: Likewise of slow calls; None also if no slow-call rule is named.
        window_calls: How many calls the window holds.
        retry_after: Seconds until a call may be let in; see `CircuitBreaker.retry_after`.
        opened_count: How often it opened.
        time_open: Seconds it has spent open or forced open.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    state: BreakerState
    generation: int
    failure_rate: float | None
    slow_call_rate: float | None
    window_calls: int
    retry_after: float | None
    opened_count: int
    time_open: float
    kind: str = "breaker"
    key: object = None
