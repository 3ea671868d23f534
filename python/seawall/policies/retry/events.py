"""What a retry tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from seawall import events

__all__ = ["RetryEvent", "RetryGaveUp", "RetryRecovered", "RetryScheduled"]

#: Every kind that a retry tells.
KINDS = ("retry.scheduled", "retry.recovered", "retry.gave_up")

Stop: TypeAlias = Literal["attempts", "nested", "budget", "duration", "deadline", "told", "begun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryEvent(events.Event):
    """Something about one call that took, or takes, more than one attempt.

    Attributes:
        attempts: How many attempts were made so far.
        elapsed: Seconds since the first of them began.
        error: What the last of them raised; None if it returned, or was rejected by a policy
            further in.
        value: What it returned.
    """

    attempts: int
    elapsed: float
    error: BaseException | None
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(RetryEvent):
    """``retry.scheduled``: there will be another attempt.

    Attributes:
        delay: Seconds until then.
    """

    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRecovered(RetryEvent):
    """``retry.recovered``: a later attempt went well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryGaveUp(RetryEvent):
    """``retry.gave_up``: the last attempt failed, and there will be no other.

    Attributes:
        why: What was reached: the ``attempts``, the ``budget``, the ``duration``
            (``max_duration``), the ``deadline``; ``nested``: a retry around it goes on; ``told``:
            the service asked for a longer wait; ``begun``: a generator had given items.
    """

    why: Stop


def tell(
    on_event: Callable[[RetryEvent], object] | None,
    hook: Callable[[Any], object] | None,
    what: str,
    detail: Any,
    facts: dict[str, Any],
) -> None:
    """Makes the event, and lets it be heard: by the hook first. Called by the native core."""
    common: dict[str, Any] = {"kind": f"retry.{what}", "policy": "retry", **facts}
    event: RetryEvent
    match what:
        case "scheduled":
            event = RetryScheduled(delay=detail, **common)
        case "recovered":
            event = RetryRecovered(**common)
        case _:
            event = RetryGaveUp(why=detail, **common)
    if hook is not None:
        events.hear(hook, event)
    events.publish(event, on_event)
