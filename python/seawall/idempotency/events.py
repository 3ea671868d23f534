"""What an idempotent operation tells.

``key`` of each is the operation's key as the store shows it. ``seq`` numbers the events of one
operation in this process.
"""

from __future__ import annotations

from dataclasses import dataclass

from seawall import events

__all__ = [
    "IdempotencyConflict",
    "IdempotencyEnded",
    "IdempotencyEvent",
    "IdempotencyLeaseLost",
    "IdempotencyMismatched",
    "IdempotencyOwned",
    "IdempotencyReplayed",
    "IdempotencyUnrecorded",
    "IdempotencyUnresolved",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyEvent(events.Event):
    """Something about one operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyOwned(IdempotencyEvent):
    """``idempotency.owned``: its body is run. ``idempotency.taken_over``: likewise, after a loss.

    Attributes:
        fence: The fencing token of this run.
        attempt: How often it was begun, this time included.
    """

    fence: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyReplayed(IdempotencyEvent):
    """``idempotency.replayed``: a call was given the end of an earlier one.

    Attributes:
        local: Whether this process remembered it: the store was not asked.
        failed: Whether that end is an error.
    """

    local: bool
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyConflict(IdempotencyEvent):
    """``idempotency.conflict``: a call found another at it. Told once a call.

    Attributes:
        waits: Whether it waits for its end; otherwise it was refused.
        retry_after: Seconds for which that one's lease still holds.
    """

    waits: bool
    retry_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyMismatched(IdempotencyEvent):
    """``idempotency.mismatched``: its key was used before, with something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyEnded(IdempotencyEvent):
    """A run has ended, and the store knows how.

    ``idempotency.completed``; ``idempotency.opaque``: completed, but the result could not be kept;
    ``idempotency.failed``: its error was kept; ``idempotency.released``: it may be run again;
    ``idempotency.quarantined``: it waits for an operator.

    Attributes:
        fence: The fencing token of the run.
    """

    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyUnresolved(IdempotencyEvent):
    """A call was refused, for an operator has to decide.

    ``idempotency.outcome_unknown``, ``idempotency.exhausted``.

    Attributes:
        noticed: Whether this call is the first to find that out.
    """

    noticed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyLeaseLost(IdempotencyEvent):
    """``idempotency.lease_lost``: a run was told, at a renewal or its end, that it has lost it.

    Attributes:
        fence: The fencing token of the run.
        at_end: Whether its body had ended. Otherwise it still runs.
    """

    fence: int
    at_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyUnrecorded(IdempotencyEvent):
    """``idempotency.unrecorded``: the store could not be asked, or could not be told of an end.

    Attributes:
        error: Why.
    """

    error: BaseException


_CLASSES: dict[str, type[IdempotencyEvent]] = {
    "owned": IdempotencyOwned,
    "taken_over": IdempotencyOwned,
    "replayed": IdempotencyReplayed,
    "conflict": IdempotencyConflict,
    "mismatched": IdempotencyMismatched,
    "completed": IdempotencyEnded,
    "opaque": IdempotencyEnded,
    "failed": IdempotencyEnded,
    "released": IdempotencyEnded,
    "quarantined": IdempotencyEnded,
    "outcome_unknown": IdempotencyUnresolved,
    "exhausted": IdempotencyUnresolved,
    "lease_lost": IdempotencyLeaseLost,
    "unrecorded": IdempotencyUnrecorded,
}
#: Every kind that an operation tells.
KINDS = tuple(f"idempotency.{what}" for what in _CLASSES)


def of(what: str) -> type[IdempotencyEvent]:
    """The class of the events of a kind."""
    return _CLASSES[what]
