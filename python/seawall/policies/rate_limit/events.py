"""What a rate limit tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seawall import events

__all__ = ["RateLimitDelayed", "RateLimitEvent", "RateLimitRejected"]

#: Every kind that a rate limit tells.
KINDS = ("rate_limit.rejected", "rate_limit.delayed")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitEvent(events.Event):
    """A call came too soon.

    Attributes:
        cost: What it would have taken.
    """

    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitRejected(RateLimitEvent):
    """``rate_limit.rejected``: it was not let in.

    Attributes:
        retry_after: Seconds after which it would be; None: it costs more than is ever there.
    """

    retry_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitDelayed(RateLimitEvent):
    """``rate_limit.delayed``: it waits, and is let in then.

    Attributes:
        wait: Seconds until then.
    """

    wait: float


def tell(on_event: Callable[[RateLimitEvent], object] | None, facts: dict[str, Any]) -> None:
    """Makes the event, and lets it be heard. Called by the native core."""
    delayed = facts["kind"] == "rate_limit.delayed"
    cls = RateLimitDelayed if delayed else RateLimitRejected
    events.publish(cls(policy="rate_limit", **facts), on_event)
