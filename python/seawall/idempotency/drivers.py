"""Threads and tasks that ask a store what a run says, and wait for as long as it says."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from seawall import waiting
from seawall._core import Op, Reply
from seawall.idempotency.conversation import NEW, OWNED, REPLAYED, UNPROTECTED
from seawall.idempotency.errors import LeaseLostError, OutcomeNotRecordedError
from seawall.idempotency.local import run_of
from seawall.idempotency.pauses import patience
from seawall.stores.errors import StoreError

if TYPE_CHECKING:
    from seawall._core import Ticket
    from seawall.idempotency.conversation import Run
    from seawall.idempotency.operation import Operation

__all__ = [
    "aclaim",
    "aclaimed",
    "aended",
    "afinish",
    "asettle",
    "claim",
    "claimed",
    "ended",
    "finish",
    "forgo",
    "let_go",
    "not_recorded",
    "settle",
]


def claim(run: Run, said: Reply | StoreError | None = None) -> None:
    """Asks until it is decided what the call is to do. Blocks this thread.

    Args:
        run: The call.
        said: What the store said already, to the first question.

    Raises:
        StoreError: There is no answer.
        Rejected: And what else `Run.heard` raises.
    """
    call = run.operation.store.call
    while True:
        try:
            if said is None:
                said = call(run.begin(), patience(run.operation))
            elif isinstance(said, StoreError):
                raise said
            pause = run.heard(said)
        except StoreError as error:
            pause = run.unheard(error)
            if pause is None and run.state != UNPROTECTED:
                raise
            run.awaited = None
        except BaseException as error:
            forgo(run, is_answered=isinstance(error, Exception))
            raise
        if pause is None:
            return
        who = f"idempotency {run.operation.name!r}"
        ear: Any = run.awaited
        if ear is None:
            waiting.sleep(pause, who)
        else:
            try:
                waiting.rest(ear, pause, who)
            finally:
                ear.turn_away()
        said = None


async def aclaim(run: Run, said: Reply | StoreError | None = None) -> None:
    """As `claim`, for tasks."""
    answer = run.operation.store.answer
    while True:
        try:
            if said is None:
                said = await answer(run.begin(), patience(run.operation))
            elif isinstance(said, StoreError):
                raise said
            pause = run.heard(said)
        except StoreError as error:
            pause = run.unheard(error)
            if pause is None and run.state != UNPROTECTED:
                raise
            run.awaited = None
        except BaseException:
            # What is not answered yet is given back by whoever waited for it.
            forgo(run, is_answered=True)
            raise
        if pause is None:
            return
        ear: Any = run.awaited
        if ear is None:
            await waiting.asleep(pause)
        else:
            try:
                await waiting.at_rest(ear, pause)
            finally:
                ear.turn_away()
        said = None


def claimed(operation: Operation, found: list[Any]) -> Ticket | Run:
    """Asks for a ticket that was not given yet; the run that it is if more had to be decided."""
    ticket, said = _ticket(found)
    if said is None:
        try:
            said = operation.store.call(ticket.wish, patience(operation))
            if ticket.heard(said):
                return ticket
        except StoreError as error:
            said = error
        except BaseException as error:
            forgo(_run(ticket), is_answered=isinstance(error, Exception))
            raise
    run = _run(ticket)
    claim(run, said)
    return run


async def aclaimed(operation: Operation, found: list[Any]) -> Ticket | Run:
    """As `claimed`, for tasks."""
    ticket, said = _ticket(found)
    if said is None:
        try:
            said = await operation.store.answer(ticket.wish, patience(operation))
        except StoreError as error:
            said = error
        else:
            if ticket.heard(said):
                return ticket
    run = _run(ticket)
    await aclaim(run, said)
    return run


def ended(
    operation: Operation, ticket: Ticket, value: Any, said: Op | Reply | Literal[False]
) -> Any:
    """What the caller of a body is to get that returned `value`, and of which this was said."""
    reply: Reply | StoreError | None = None
    since = time.monotonic()
    if isinstance(said, Op):
        try:
            reply = operation.store.call(said)
        except StoreError as error:
            reply = error
        except BaseException:
            # Interrupted, perhaps before it was told. Told twice, it is so once.
            let_go(_run(ticket))
            raise
        else:
            if ticket.settled(reply):
                return value
    elif isinstance(said, Reply):
        reply = said
    run = _run(ticket)
    if reply is None:
        run.returned(value)
    return _result(run, value, settle(run, reply, since))


async def aended(
    operation: Operation, ticket: Ticket, value: Any, said: Op | Reply | Literal[False]
) -> Any:
    """As `ended`, for tasks."""
    reply: Reply | StoreError | None = None
    since = time.monotonic()
    if isinstance(said, Op):
        try:
            reply = await operation.store.answer(said)
        except StoreError as error:
            reply = error
        except BaseException:
            # Interrupted: it was asked, and is done unless the process ends before.
            _run(ticket).over()
            raise
        else:
            if ticket.settled(reply):
                return value
    elif isinstance(said, Reply):
        reply = said
    run = _run(ticket)
    if reply is None:
        run.returned(value)
    return _result(run, value, await asettle(run, reply, since))


def _ticket(found: list[Any]) -> tuple[Ticket, Reply | StoreError | None]:
    return found[0], found[1] if len(found) > 1 else None


def _run(ticket: Ticket) -> Run:
    run = run_of(ticket)
    assert run is not None  # noqa: S101  who asks for it has not said how it ended
    return run


def settle(
    run: Run, said: Reply | StoreError | None = None, since: float | None = None
) -> BaseException | None:
    """Tells the store how the run ended; why it could not be told. Blocks this thread.

    Args:
        run: The call.
        said: What the store said already, when it was told first.
        since: When that was.
    """
    call = run.operation.store.call
    asked = time.monotonic() if since is None else since
    try:
        while True:
            try:
                if said is None:
                    said = call(run.told())
                elif isinstance(said, StoreError):
                    raise said
            except StoreError as error:
                pause = run.unsettled(error, asked)
                if pause is None:
                    return error
                waiting.sleep(pause)
                said = None
            else:
                return None if run.settled(said) else _lost(run)
    except BaseException:
        # Interrupted, perhaps before it was told. Told twice, it is so once.
        if run.state == OWNED:
            let_go(run)
        raise


async def asettle(
    run: Run, said: Reply | StoreError | None = None, since: float | None = None
) -> BaseException | None:
    """As `settle`, for tasks."""
    answer = run.operation.store.answer
    asked = time.monotonic() if since is None else since
    try:
        while True:
            try:
                if said is None:
                    said = await answer(run.told())
                elif isinstance(said, StoreError):
                    raise said
            except StoreError as error:
                pause = run.unsettled(error, asked)
                if pause is None:
                    return error
            except BaseException:
                # It was told, and is so unless the process ends before.
                run.over()
                raise
            else:
                return None if run.settled(said) else _lost(run)
            await waiting.asleep(pause)
            said = None
    except BaseException:
        if run.state == OWNED:
            let_go(run)
        raise


def let_go(run: Run) -> None:
    """Tells the store how the run ended, and waits for nothing.

    For tasks that were cancelled or closed, which can't wait any more.
    """
    try:
        asked = run.operation.native.submit(run.told())
    except StoreError as error:
        run.over()
        run.operation.tell("unrecorded", run.key, error=error)
        return
    if isinstance(asked, Reply):
        run.settled(asked)
    else:
        run.over()
        if run.operation.is_heard():
            run.operation.tell(run.ended or "", run.key, fence=run.fence)


def finish(run: Run, value: Any) -> Any:
    """Tells the store what a body returned; what its caller is to get."""
    run.returned(value)
    return _result(run, value, settle(run))


async def afinish(run: Run, value: Any) -> Any:
    """As `finish`, for tasks."""
    run.returned(value)
    return _result(run, value, await asettle(run))


def _result(run: Run, value: Any, trouble: BaseException | None) -> Any:
    if trouble is None:
        return value
    if run.state == REPLAYED:
        # Somebody else had it meanwhile, and has ended it: all get the same.
        return run.answer()
    if isinstance(trouble, StoreError):
        if run.operation.settings.on_store_error == "run":
            return value
        raise not_recorded(run, value) from trouble
    raise trouble


def not_recorded(run: Run, result: object) -> OutcomeNotRecordedError:
    """The error of a run that the store could not be told of."""
    operation = run.operation
    return OutcomeNotRecordedError(operation.name, operation.show(run.key), result)


def _lost(run: Run) -> LeaseLostError:
    return LeaseLostError(run.operation.name, run.operation.show(run.key))


def forgo(run: Run, *, is_answered: bool) -> None:
    """Its body will not begin: what was claimed, or may have been, is given back."""
    if run.state == OWNED:
        run.released()
        let_go(run)
    elif run.state == NEW and not is_answered:
        # Asked again it is the same claim, if it was given, and whoever drops an answer gives it
        # back.
        native, claim = run.operation.native, run.begin()
        with suppress(StoreError):
            asked = native.submit(claim)
            if isinstance(asked, Reply) and asked.kind == "owned":
                native.submit(claim.release(asked.fence or 0))
