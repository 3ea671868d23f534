"""Threads and tasks that ask a store what a run says, and wait for as long as it says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from seawall import waiting
from seawall._core import Reply
from seawall.idempotency.conversation import REPLAYED, UNPROTECTED
from seawall.idempotency.errors import LeaseLostError, OutcomeNotRecordedError
from seawall.stores.errors import StoreError
from seawall.waiting.answers import answered

if TYPE_CHECKING:
    from seawall._core import Op
    from seawall.idempotency.conversation import Run

__all__ = ["aclaim", "afinish", "asettle", "claim", "finish", "let_go", "not_recorded", "settle"]


def claim(run: Run) -> None:
    """Asks until it is decided what the call is to do. Blocks this thread.

    Raises:
        StoreError: There is no answer.
        Rejected: And what else `Run.heard` raises.
    """
    call = run.operation.store.call
    op = run.begin()
    while True:
        try:
            reply = call(op, run.patience())
        except StoreError as error:
            pause = run.unheard(error)
            if pause is None and run.state != UNPROTECTED:
                raise
            run.awaited = None
        else:
            pause = run.heard(reply)
        if pause is None:
            return
        who = f"idempotency {run.operation.name!r}"
        bell: Any = run.awaited
        if bell is None:
            waiting.sleep(pause, who)
        else:
            waiting.rest(bell, pause, who)
        op = run.again()


async def aclaim(run: Run) -> None:
    """As `claim`, for tasks."""
    op = run.begin()
    while True:
        try:
            reply = await _answer(run, op, run.patience())
        except StoreError as error:
            pause = run.unheard(error)
            if pause is None and run.state != UNPROTECTED:
                raise
            run.awaited = None
        else:
            pause = run.heard(reply)
        if pause is None:
            return
        bell: Any = run.awaited
        if bell is None:
            await waiting.asleep(pause)
        else:
            await waiting.at_rest(bell, pause)
        op = run.again()


def settle(run: Run) -> BaseException | None:
    """Tells the store how the run ended; why it could not be told. Blocks this thread."""
    call = run.operation.store.call
    asked = time.monotonic()
    while True:
        try:
            reply = call(run.told())
        except StoreError as error:
            pause = run.unsettled(error, asked)
            if pause is None:
                return error
            waiting.sleep(pause)
        except BaseException:
            # Interrupted: it was asked, and is done unless the process ends before.
            run.over()
            raise
        else:
            return None if run.settled(reply) else _lost(run)


async def asettle(run: Run) -> BaseException | None:
    """As `settle`, for tasks."""
    asked = time.monotonic()
    while True:
        try:
            reply = await _answer(run, run.told(), None)
        except StoreError as error:
            pause = run.unsettled(error, asked)
            if pause is None:
                return error
            await waiting.asleep(pause)
        except BaseException:
            run.over()
            raise
        else:
            return None if run.settled(reply) else _lost(run)


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


async def _answer(run: Run, op: Op, patience: float | None) -> Reply:
    store = run.operation.store
    asked = run.operation.native.submit(op)
    if isinstance(asked, Reply):
        return asked
    return await answered(asked, store.timeout if patience is None else patience)
