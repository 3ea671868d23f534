"""What a hedge tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from seawall import events

__all__ = ["HedgeEvent", "HedgeFailed", "HedgeRefused", "HedgeStarted", "HedgeWon"]

#: Every kind that a hedge tells.
KINDS = ("hedge.started", "hedge.refused", "hedge.won", "hedge.failed")

Refusal: TypeAlias = Literal["budget", "deadline", "losers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeEvent(events.Event):
    """Something about one call, beyond its first attempt.

    Attributes:
        attempts: How many attempts were started so far.
        elapsed: Seconds since the first of them began.
    """

    attempts: int
    elapsed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeStarted(HedgeEvent):
    """``hedge.started``: another attempt starts.

    Attributes:
        why: The call was ``slow``, or an attempt has ``failed``.
        delay: Seconds after which a call is slow; None: that is not known yet.
    """

    why: Literal["slow", "failed"]
    delay: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeRefused(HedgeEvent):
    """``hedge.refused``: another attempt was due, and is not made. Nor is a later one.

    Attributes:
        why: The ``budget`` is exhausted, the ``deadline`` has passed, or too many ``losers`` still
            run.
    """

    why: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeWon(HedgeEvent):
    """``hedge.won``: another attempt than the first gave the answer.

    Attributes:
        number: Which; the first attempt is 0.
    """

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeFailed(HedgeEvent):
    """``hedge.failed``: no attempt gave a good answer.

    Attributes:
        error: What the first that failed raised; None if it returned.
    """

    error: BaseException | None


_CLASSES: dict[str, Any] = {
    "started": HedgeStarted,
    "refused": HedgeRefused,
    "won": HedgeWon,
    "failed": HedgeFailed,
}


def tell(on_event: Callable[[HedgeEvent], object] | None, what: str, facts: dict[str, Any]) -> None:
    """Makes the event, and lets it be heard. Called by the native core."""
    events.publish(_CLASSES[what](kind=f"hedge.{what}", policy="hedge", **facts), on_event)
