"""What a bulkhead tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from seawall import events

__all__ = ["BulkheadEvent", "BulkheadRejected", "BulkheadWaited"]

#: Every kind that a bulkhead tells.
KINDS = ("bulkhead.waited", "bulkhead.rejected")

Why: TypeAlias = Literal["full", "waited", "deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadEvent(events.Event):
    """A call found every permit taken.

    Attributes:
        limit: How many calls may run at once.
        waited: Seconds for which it waited.
    """

    limit: int
    waited: float


class BulkheadWaited(BulkheadEvent):
    """``bulkhead.waited``: it was let in after it had waited."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadRejected(BulkheadEvent):
    """``bulkhead.rejected``: its caller got a `BulkheadFullError`.

    Attributes:
        why: See `BulkheadFullError.why`.
        waiting: How many others wait.
    """

    why: Why
    waiting: int


def tell(on_event: Callable[[BulkheadEvent], object] | None, facts: dict[str, Any]) -> None:
    """Makes the event, and lets it be heard. Called by the native core."""
    rejected = facts["kind"] == "bulkhead.rejected"
    cls: Any = BulkheadRejected if rejected else BulkheadWaited
    events.publish(cls(policy="bulkhead", **facts), on_event)
