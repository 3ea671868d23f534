"""Threads and tasks that ask a store what a run says, and wait for as long as it says."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from seawall import waiting
from seawall._core import Reply
from seawall.idempotency.conversation import NEW, OWNED, REPLAYED, UNPROTECTED
from seawall.idempotency.errors import LeaseLostError, OutcomeNotRecordedError
from seawall.stores.errors import StoreError

if TYPE_CHECKING:
    from seawall.idempotency.conversation import Run

__all__ = [
    "aclaim",
    "afinish",
    "asettle",
    "claim",
    "finish",
    "forgo",
    "let_go",
    "not_recorded",
    "settle",
]


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
            pause = run.heard(call(op, run.patience()))
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
        bell: Any = run.awaited
        if bell is None:
            waiting.sleep(pause, who)
        else:
            waiting.rest(bell, pause, who)
        op = run.again()


async def aclaim(run: Run) -> None:
    """As `claim`, for tasks."""
    op = run.begin()
    answer = run.operation.store.answer
    while True:
        try:
            pause = run.heard(await answer(op, run.patience()))
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
    try:
        while True:
            try:
                reply = call(run.told())
            except StoreError as error:
                pause = run.unsettled(error, asked)
                if pause is None:
                    return error
                waiting.sleep(pause)
            else:
                return None if run.settled(reply) else _lost(run)
    except BaseException:
        # Interrupted, perhaps before it was told. Told twice, it is so once.
        if run.state == OWNED:
            let_go(run)
        raise


async def asettle(run: Run) -> BaseException | None:
    """As `settle`, for tasks."""
    answer = run.operation.store.answer
    asked = time.monotonic()
    try:
        while True:
            try:
                reply = await answer(run.told())
            except StoreError as error:
                pause = run.unsettled(error, asked)
                if pause is None:
                    return error
            except BaseException:
                # It was told, and is so unless the process ends before.
                run.over()
                raise
            else:
                return None if run.settled(reply) else _lost(run)
            await waiting.asleep(pause)
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
        native, claim = run.operation.native, run.again()
        with suppress(StoreError):
            asked = native.submit(claim)
            if isinstance(asked, Reply) and asked.kind == "owned":
                native.submit(claim.release(asked.fence or 0))
