"""What a circuit breaker tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from seawall import events
from seawall.policies.breaker.settings import BreakerState

__all__ = [
    "BreakerClosed",
    "BreakerDisabled",
    "BreakerEvent",
    "BreakerForcedOpen",
    "BreakerHalfOpened",
    "BreakerMetricsOnly",
    "BreakerOpened",
    "BreakerReset",
    "BreakerWouldOpen",
]

#: Every kind that a circuit breaker tells.
KINDS = (
    "breaker.opened",
    "breaker.half_opened",
    "breaker.closed",
    "breaker.would_open",
    "breaker.forced_open",
    "breaker.disabled",
    "breaker.metrics_only",
    "breaker.reset",
)

Cause: TypeAlias = Literal[
    "consecutive_failures", "failure_rate", "slow_call_rate", "probe", "recovered", "due", "manual"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerEvent(events.Event):
    """A transition of a circuit. ``seq`` counts those of the breaker, with all of its circuits.

    Of a breaker with one circuit, that is the generation that the transition began.

    Attributes:
        before: The state it left.
        after: The state it is in.
        cause: The rule that was reached, or what else moved it.
    """

    before: BreakerState
    after: BreakerState
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tripped(BreakerEvent):
    """A rule was reached.

    Attributes:
        failure_rate: Share of failed calls when it was; None if no rate is named.
        slow_call_rate: Likewise of slow ones.
        calls: How many calls those are shares of.
    """

    failure_rate: float | None
    slow_call_rate: float | None
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOpened(_Tripped):
    """``breaker.opened``: calls are rejected from now on.

    Attributes:
        open_duration: Seconds until it lets probes in.
    """

    open_duration: float


class BreakerWouldOpen(_Tripped):
    """``breaker.would_open``: in ``metrics_only``, a rule was reached; calls go on."""

    __slots__ = ()


class BreakerHalfOpened(BreakerEvent):
    """``breaker.half_opened``: probes are let in."""

    __slots__ = ()


class BreakerClosed(BreakerEvent):
    """``breaker.closed``: the probes did well; calls go on."""

    __slots__ = ()


class BreakerForcedOpen(BreakerEvent):
    """``breaker.forced_open``: somebody opened it by hand."""

    __slots__ = ()


class BreakerDisabled(BreakerEvent):
    """``breaker.disabled``: somebody switched it off."""

    __slots__ = ()


class BreakerMetricsOnly(BreakerEvent):
    """``breaker.metrics_only``: somebody set it to judge and not to act."""

    __slots__ = ()


class BreakerReset(BreakerEvent):
    """``breaker.reset``: somebody closed it by hand."""

    __slots__ = ()


_BY_STATE: dict[str, tuple[str, type[BreakerEvent]]] = {
    "half_open": ("breaker.half_opened", BreakerHalfOpened),
    "forced_open": ("breaker.forced_open", BreakerForcedOpen),
    "disabled": ("breaker.disabled", BreakerDisabled),
}


def tell(on_event: Callable[[BreakerEvent], object] | None, facts: dict[str, Any]) -> None:
    """Makes the event of a transition, and lets it be heard. Called by the native core."""
    tripped = {name: facts.pop(name) for name in ("failure_rate", "slow_call_rate", "calls")}
    open_duration = facts.pop("open_duration")
    common: dict[str, Any] = {"policy": "breaker", **facts}
    event: BreakerEvent
    match facts["after"], facts["cause"]:
        case "open", _:
            event = BreakerOpened(
                kind="breaker.opened", open_duration=open_duration, **tripped, **common
            )
        case "metrics_only", "manual":
            event = BreakerMetricsOnly(kind="breaker.metrics_only", **common)
        case "metrics_only", _:
            event = BreakerWouldOpen(kind="breaker.would_open", **tripped, **common)
        case "closed", "manual":
            event = BreakerReset(kind="breaker.reset", **common)
        case "closed", _:
            event = BreakerClosed(kind="breaker.closed", **common)
        case after, _:
            kind, cls = _BY_STATE[after]
            event = cls(kind=kind, **common)
    events.publish(event, on_event)
