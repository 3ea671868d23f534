"""What a timeout tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seawall import events

__all__ = ["TimeoutEvent", "TimeoutLate", "TimeoutTimedOut"]

#: Every kind that a timeout tells.
KINDS = ("timeout.timed_out", "timeout.late")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutEvent(events.Event):
    """A call took longer than it may.

    Attributes:
        elapsed: Seconds that it took.
        limit: Seconds that it might take.
    """

    elapsed: float
    limit: float


class TimeoutTimedOut(TimeoutEvent):
    """``timeout.timed_out``: its caller got a `CallTimeoutError`."""

    __slots__ = ()


class TimeoutLate(TimeoutEvent):
    """``timeout.late``: it could not be stopped and came to a result, which its caller got."""

    __slots__ = ()


def tell(on_event: Callable[[TimeoutEvent], object] | None, facts: dict[str, Any]) -> None:
    """Makes the event, and lets it be heard. Called by the native core."""
    late = facts["kind"] == "timeout.late"
    cls = TimeoutLate if late else TimeoutTimedOut
    events.publish(cls(policy="timeout", **facts), on_event)
