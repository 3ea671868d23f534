"""What a fallback tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seawall import events

__all__ = ["FallbackEvent", "FallbackFailed", "FallbackStale", "FallbackUsed"]

#: Every kind that a fallback tells.
KINDS = ("fallback.used", "fallback.stale", "fallback.failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackEvent(events.Event):
    """A call failed.

    Attributes:
        error: What it raised, a rejection by a policy further in included; None if it returned
            what is no good.
        value: What it returned then.
    """

    error: BaseException | None
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackUsed(FallbackEvent):
    """``fallback.used``: a provider answered in its place.

    Attributes:
        provider: Which one, counted from 0.
    """

    provider: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackStale(FallbackEvent):
    """``fallback.stale``: it was answered from memory.

    ``key`` is what the setting ``key`` said of the call; None without one.

    Attributes:
        age: How old the answer was, in seconds.
    """

    age: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackFailed(FallbackEvent):
    """``fallback.failed``: nothing answered, and its caller gets its own end.

    Attributes:
        failures: What the providers raised, in their order.
    """

    failures: tuple[BaseException, ...]


_CLASSES: dict[str, Any] = {
    "fallback.used": FallbackUsed,
    "fallback.stale": FallbackStale,
    "fallback.failed": FallbackFailed,
}


def tell(on_event: Callable[[FallbackEvent], object] | None, facts: dict[str, Any]) -> None:
    """Makes the event, and lets it be heard. Called by the native core."""
    events.publish(_CLASSES[facts["kind"]](policy="fallback", **facts), on_event)
