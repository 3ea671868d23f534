"""What a rate limit tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seawall import events

__all__ = ["RateLimitEvent", "RateLimitRejected"]

#: Every kind that a rate limit tells.
KINDS = ("rate_limit.rejected",)


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


def tell(on_event: Callable[[RateLimitEvent], object] | None, facts: dict[str, Any]) -> None:
    """Makes the event, and lets it be heard. Called by the native core."""
    events.publish(RateLimitRejected(policy="rate_limit", **facts), on_event)
