"""The steps of an operation in a transaction: claim, and completion or nothing.

They are written once, as generators that yield what a `Link` answered and are sent what it came to:
its drivers await that, or hand it straight back. The machine is small: absent or expired → begun →
completed. What was begun is seen by nobody else before it is completed, and a rollback leaves no
trace of it; so there is no lease, no fence, no owner and no attempt to count.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeAlias

from seawall import _core
from seawall.idempotency.errors import (
    FingerprintMismatchError,
    NestedOperationError,
    OperationInProgressError,
    OutcomeUnknownError,
)
from seawall.idempotency.transaction.links import ABORTED, NO_TRANSACTION, Link, refused
from seawall.idempotency.transaction.operation import Passage
from seawall.idempotency.transaction.statements import (
    BEGUN,
    COMPLETED,
    LAYOUT,
    OPAQUE,
    statements,
)
from seawall.stores.errors import StoreBusyError, StoreUnavailableError

Steps: TypeAlias = Generator[Any, Any, Any]

_TRIES: Final = 10
"""How often a row may go and come again before this gives up."""


class _Row(NamedTuple):
    claims: int
    bound: str
    layout: int | None
    state: int
    fingerprint: bytes | None
    codec: int | None
    result: bytes | None
    checksum: bytes | None
    left: int
    """Microseconds until it expires."""
    is_mine: bool | None


def claim(link: Link, transaction: object, passage: Passage) -> Steps:
    """Claims it under a savepoint, or finds its end. If it raises, all is as it was before.

    Returns:
        The savepoint of a claim; None: it took effect before, as the passage knows.
    """
    try:
        savepoint = yield link.begin()
    except Exception as error:
        told = _told(error, transaction, passage)
        if told is None:
            raise
        raise told from error
    try:
        owned = yield from _asked(link, passage)
    except BaseException as error:
        yield from undo(link, savepoint)
        told = _told(error, transaction, passage)
        if told is None:
            raise
        raise told from error
    if owned:
        passage.owned()
        return savepoint
    yield link.keep(savepoint)
    return None


def complete(link: Link, savepoint: Any, passage: Passage) -> Steps:
    """Writes the result down, and makes all of it a part of the transaction."""
    state = OPAQUE if passage.data is None else COMPLETED
    codec, data = passage.data or (None, None)
    checksum = passage.checksum(state, codec, data, passage.fingerprint)
    ttl = _micros(passage.within.settings.ttl)
    text = statements(passage.within.schema).complete
    try:
        row = yield link.fetch(text, (passage.place, state, codec, data, checksum, ttl))
        if row is None:
            raise RuntimeError(
                f"the block of {passage.within.name!r} with key {passage.shown} ended its "
                "transaction or went back behind its own beginning: what it did is not completed; "
                "leave the block first, then commit or roll back"
            )
    except BaseException:
        yield from undo(link, savepoint)
        passage.left("released")
        raise
    try:
        yield link.keep(savepoint)
    except BaseException:
        passage.left("released")
        raise
    passage.left(passage.ended or "completed")


def undo(link: Link, savepoint: Any) -> Steps:
    """Goes back to before the claim, where that can still be done."""
    # The error that led here says why; what can't be undone here, the server undoes.
    with suppress(Exception):
        yield link.undo(savepoint)


def _asked(link: Link, passage: Passage) -> Steps:
    texts = statements(passage.within.schema)
    text = texts.claim
    ttl = _micros(passage.within.settings.ttl)
    values = (_bound(passage), passage.place, passage.fingerprint, ttl)
    for _ in range(_TRIES):
        row = _Row(*(yield link.fetch(text, values)))
        if row.claims:
            return True
        # One that was waited for came after the statement began, which does not see it.
        gone = row.layout is None
        if not gone and row.left > 0:
            _judge(row, passage)
            return False
        text = texts.claim if gone else texts.retake
    reason = f"the row of {passage.shown} of {passage.within.name!r} comes and goes"
    raise StoreBusyError(passage.within.place, reason)


def _judge(row: _Row, passage: Passage) -> None:
    if row.layout != LAYOUT:
        raise passage.newer(row.layout or 0)
    name, shown = passage.within.name, passage.shown
    if row.state == BEGUN:
        if row.is_mine:
            raise NestedOperationError(name, None, shown, "nested")
        # Nothing lets others see it, except where the table's constraint was taken away.
        raise OutcomeUnknownError(name, shown)
    if row.state not in {COMPLETED, OPAQUE}:
        raise passage.damaged(f"there is no state {row.state}")
    result = None if row.codec is None or row.result is None else (row.codec, row.result)
    if (result is None) != (row.state == OPAQUE):
        raise passage.damaged("its state and its result contradict each other")
    if row.checksum != passage.checksum(row.state, row.codec, row.result, row.fingerprint):
        raise passage.damaged("its checksum is another")
    if passage.fingerprint != row.fingerprint:
        passage.within.tell("mismatched", passage.key)
        raise FingerprintMismatchError(name, shown)
    passage.replays(result)


def _bound(passage: Passage) -> str:
    """For how long a lock is waited for, in milliseconds; 0 would be for ever."""
    settings = passage.within.settings
    if settings.on_conflict == "refuse":
        return "1"
    left = _core.remaining()
    seconds = settings.wait if left is None else min(settings.wait, left)
    return str(max(1, math.ceil(seconds * 1000)))


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _told(error: BaseException, transaction: object, passage: Passage) -> Exception | None:
    """What an error of the server's means here; None: it is the caller's to know."""
    within = passage.within
    match sqlstate(error):
        case "55P03":
            settings, left = within.settings, _core.remaining()
            why = "deadline" if left is not None and left < settings.wait else "waited"
            if settings.on_conflict == "refuse":
                why = "refused"
            within.tell("conflict", passage.key, waits=why != "refused", retry_after=0.0)
            # Its transaction may end at any moment; nobody knows when.
            return OperationInProgressError(within.name, 0.0, passage.shown, why)
        case "42P01" | "3F000" | "42703":
            reason = (
                f"there is no table {within.schema}.transactions as this version has it; make it "
                "with `seawall store migrate`"
            )
            return StoreUnavailableError(within.place, reason)
        case "25P01":
            return refused(transaction, NO_TRANSACTION)
        case "25P02":
            return refused(transaction, ABORTED)
        case _:
            return None


def sqlstate(error: BaseException) -> str | None:
    """The code with which a server of PostgreSQL's answered, whichever driver tells it."""
    for one in (getattr(error, "orig", None), error):
        for name in ("sqlstate", "pgcode"):
            code = getattr(one, name, None)
            if isinstance(code, str):
                return code
        cause = getattr(one, "__cause__", None)
        if one is not None and isinstance(code := getattr(cause, "sqlstate", None), str):
            return code
    return None
