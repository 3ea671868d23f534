"""The steps of an operation in a transaction: claim, and completion or nothing.

They are written once, as generators that yield what a `Link` answered and are sent what it came to:
its drivers await that, or hand it straight back. The machine is small: absent or expired → begun →
completed. What was begun is seen by nobody else before it is completed, and a rollback leaves no
trace of it; so there is no lease, no fence, no owner and no attempt to count.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, Final, NamedTuple, TypeAlias

import seawall
from seawall.idempotency.errors import (
    FingerprintMismatchError,
    NestedOperationError,
    OperationInProgressError,
    OutcomeUnknownError,
)
from seawall.idempotency.transaction.links import ABORTED, NO_TRANSACTION, Link, refused
from seawall.idempotency.transaction.operation import Operation
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


class Kept(NamedTuple):
    """How an operation ended before."""

    state: int
    codec: int | None
    result: bytes | None


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


def claim(link: Link, transaction: object, operation: Operation) -> Steps:
    """Claims it under a savepoint. Whatever is raised, the transaction is as it was before.

    Returns:
        The savepoint of a claim, or a `Kept`.
    """
    try:
        savepoint = yield link.begin()
    except Exception as error:
        told = _told(error, transaction, operation)
        if told is None:
            raise
        raise told from error
    try:
        kept = yield from _asked(link, operation)
    except BaseException as error:
        yield from undo(link, savepoint)
        told = _told(error, transaction, operation)
        if told is None:
            raise
        raise told from error
    if kept is None:
        return savepoint
    yield link.keep(savepoint)
    return kept


def complete(
    link: Link, savepoint: Any, operation: Operation, result: tuple[int, bytes] | None
) -> Steps:
    """Writes the result down, and makes all of it a part of the transaction."""
    state = OPAQUE if result is None else COMPLETED
    codec, data = result or (None, None)
    checksum = operation.checksum(state, codec, data, operation.fingerprint)
    values = (operation.id, state, codec, data, checksum, _micros(operation.ttl))
    try:
        row = yield link.fetch(statements(operation.schema).complete, values)
        if row is None:
            raise RuntimeError(
                f"the block of {operation.name!r} with key {operation.key} ended its transaction or "
                "went back behind its own beginning: what it did is not completed; leave the block "
                "first, then commit or roll back"
            )
    except BaseException:
        yield from undo(link, savepoint)
        raise
    yield link.keep(savepoint)


def undo(link: Link, savepoint: Any) -> Steps:
    """Goes back to before the claim, where that can still be done."""
    try:
        yield link.undo(savepoint)
    except Exception:  # noqa: BLE001, S110 - the error that led here says why; the server undoes it
        pass


def _asked(link: Link, operation: Operation) -> Steps:
    texts = statements(operation.schema)
    text = texts.claim
    values = (_bound(operation), operation.id, operation.fingerprint, _micros(operation.ttl))
    for _ in range(_TRIES):
        row = _Row(*(yield link.fetch(text, values)))
        if row.claims:
            return None
        # One that was waited for came after the statement began, which does not see it.
        gone = row.layout is None
        if not gone and row.left > 0:
            return _judged(row, operation)
        text = texts.claim if gone else texts.retake
    reason = f"the row of {operation.key!r} of {operation.name!r} comes and goes"
    raise StoreBusyError(operation.place, reason)


def _judged(row: _Row, operation: Operation) -> Kept:
    if row.layout != LAYOUT:
        raise operation.newer(row.layout or 0)
    if row.state == BEGUN:
        if row.is_mine:
            raise NestedOperationError(operation.name, None, operation.key, "nested")
        # Nothing lets others see it, except where the table's constraint was taken away.
        raise OutcomeUnknownError(operation.name, operation.key)
    if row.state not in {COMPLETED, OPAQUE}:
        raise operation.damaged(f"there is no state {row.state}")
    if (row.codec is None or row.result is None) != (row.state == OPAQUE):
        raise operation.damaged("its state and its result contradict each other")
    if row.checksum != operation.checksum(row.state, row.codec, row.result, row.fingerprint):
        raise operation.damaged("its checksum is another")
    if operation.fingerprint != row.fingerprint:
        raise FingerprintMismatchError(operation.name, operation.key)
    return Kept(row.state, row.codec, row.result)


def _bound(operation: Operation) -> str:
    """For how long a lock is waited for, in milliseconds; 0 would be for ever."""
    if operation.on_conflict == "refuse":
        return "1"
    left = seawall.remaining()
    seconds = operation.wait if left is None else min(operation.wait, left)
    return str(max(1, math.ceil(seconds * 1000)))


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _told(error: BaseException, transaction: object, operation: Operation) -> Exception | None:
    """What an error of the server's means here; None: it is the caller's to know."""
    match sqlstate(error):
        case "55P03":
            left = seawall.remaining()
            why = "deadline" if left is not None and left < operation.wait else "waited"
            if operation.on_conflict == "refuse":
                why = "refused"
            # Its transaction may end at any moment; nobody knows when.
            return OperationInProgressError(operation.name, 0.0, operation.key, why)
        case "42P01" | "3F000" | "42703":
            reason = (
                f"there is no table {operation.schema}.transactions as this version has it; make "
                "it with `seawall store migrate`"
            )
            return StoreUnavailableError(operation.place, reason)
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
