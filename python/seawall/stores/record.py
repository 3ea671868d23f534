"""What is kept of an operation, and of all of them, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from seawall._core import Address

__all__ = ["STATES", "Record", "RecordState", "StoreCounts", "StoreStats"]

RecordState: TypeAlias = Literal[
    "in_progress", "completed", "failed", "released", "quarantined", "dead"
]
#: All of them.
STATES: tuple[RecordState, ...] = (
    "in_progress",
    "completed",
    "failed",
    "released",
    "quarantined",
    "dead",
)

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _date(micros: int | None) -> datetime | None:
    return None if micros is None else _BEGINNING + timedelta(microseconds=micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a store keeps of one operation. Times are the store's, in UTC.

    Attributes:
        namespace: Whose it is.
        scope: The operation's name.
        key: Its key, as it is kept. Bytes that are no UTF-8 are surrogate escapes in it.
        state: ``in_progress``, ``completed``, ``failed``, ``released`` (it may be run again),
            ``quarantined`` (whether it took effect is not known) or ``dead`` (it was lost as often
            as it may be). The last two wait for an operator.
        attempts: How often it was claimed.
        fence: The token of the last claim. Of two claims of a key, the later has the higher one.
        owner: Who made that claim: 32 hexadecimal digits, a number of its own for each call. None:
            an operator decided.
        on_lost: What becomes of it if its owner is not heard of any more: ``takeover`` or
            ``quarantine``.
        fingerprint: A digest of what it was called with, if that is compared.
        created: When its key was first claimed.
        changed: When it became what it is.
        lease_until: While it is in progress: until when nobody else is given it.
        hard_deadline: While it is in progress: its lease is not renewed beyond this.
        expires: From when on it is forgotten. None: it waits for an operator.
        size: How many bytes of a result, or of an error, are kept; None: none are.
        codec: The number of the codec that wrote them.
        data: The bytes themselves. They are not part of the ``repr``: it may be anybody's data.
    """

    namespace: str
    scope: str
    key: str
    state: RecordState
    attempts: int
    fence: int
    owner: str | None
    on_lost: Literal["takeover", "quarantine"]
    fingerprint: bytes | None
    created: datetime
    changed: datetime
    lease_until: datetime | None
    hard_deadline: datetime | None
    expires: datetime | None
    size: int | None
    codec: int | None
    data: bytes | None = field(repr=False)

    @classmethod
    def _read(cls, address: Address, kept: Mapping[str, Any]) -> Record:
        data: bytes | None = kept["data"]
        return cls(
            namespace=address.namespace,
            scope=address.scope,
            key=address.key.decode("utf-8", "surrogateescape"),
            state=kept["state"],
            attempts=kept["attempts"],
            fence=kept["fence"],
            owner=kept["owner"],
            on_lost=kept["on_lost"],
            fingerprint=kept["fingerprint"],
            created=_BEGINNING + timedelta(microseconds=kept["created"]),
            changed=_BEGINNING + timedelta(microseconds=kept["changed"]),
            lease_until=_date(kept["lease_until"]),
            hard_deadline=_date(kept["hard_deadline"]),
            expires=_date(kept["expires"]),
            size=None if data is None else len(data),
            codec=kept["codec"],
            data=data,
        )


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How many records a store keeps for a namespace, or one scope of it.

    Attributes:
        by_state: How many are in each state.
        expired: That are to be forgotten and were not removed yet; they are in no state.
    """

    by_state: Mapping[RecordState, int]
    expired: int

    @property
    def total(self) -> int:
        """How many there are, the expired ones aside."""
        return sum(self.by_state.values())


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """What this process was answered by a store since it was opened.

    Attributes:
        owned: Claims that were given, those taken over included.
        taken_over: Of these, those taken over from somebody who was lost.
        in_progress: Claims that found somebody at it.
        replayed: Claims that were told how it had ended.
        mismatched: Claims of a key that is in use for something else.
        unknown: Claims of what waits for an operator.
        exhausted: Claims of what was lost too often.
        settled: What an owner said and was heard.
        stale: What somebody said who was not the owner any more, and was refused.
        errors: What the store gave no answer to.
    """

    owned: int
    taken_over: int
    in_progress: int
    replayed: int
    mismatched: int
    unknown: int
    exhausted: int
    settled: int
    stale: int
    errors: int
