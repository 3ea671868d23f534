"""What becomes of an operation whose body raises, and what its callers are told."""

import asyncio

import pytest
import seawall
import trio
from seawall.idempotency import OutcomeUnknownError, idempotent

from tests.hosts import LOOPS
from tests.threads import until


class Declined(Exception):
    """An error of the user's."""


def failing(*errors):
    """A body that raises these, one after the other, and then returns; and how often it ran."""
    left = list(errors)
    ran = []

    def body():
        ran.append(1)
        if left:
            raise left.pop(0)
        return "ran"

    return body, ran


def state(store):
    """The state of the only record."""
    (record,) = store.list()
    return record.state


def test_an_error_releases(caller, store):
    """By default the next call runs the body again."""
    body, ran = failing(Declined("no"))
    call = caller.operation(body, store=store)
    with pytest.raises(Declined, match="no"):
        call()
    assert state(store) == "released"
    assert call() == "ran"
    assert len(ran) == 2


@pytest.mark.parametrize("how", [{"at_most_once": True}, {"on_error": "quarantine"}])
def test_at_most_once_an_error_quarantines(caller, store, how):
    """A body that raised is not run again: whether it took effect is not known."""
    body, ran = failing(Declined("no"))
    call = caller.operation(body, store=store, **how)
    with pytest.raises(Declined):
        call()
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match="find out"):
            call()
    assert len(ran) == 1
    (record,) = store.list()
    store.release(record)
    assert call() == "ran"


def test_safe_errors_release_also_at_most_once(caller, store):
    """What says that it had no effect releases; a rejection by seawall always does."""
    rejected = seawall.errors.RateLimitedError("limit", 1.0)
    body, ran = failing(Declined("no"), rejected)
    call = caller.operation(body, store=store, at_most_once=True, safe_errors=Declined)
    with pytest.raises(Declined):
        call()
    with pytest.raises(seawall.RateLimitedError):
        call()
    assert call() == "ran"
    assert len(ran) == 3


def test_chosen_errors_are_kept(caller, store):
    """An error that is an answer is raised again for later calls, and never the same object."""
    body, ran = failing(ValueError("no such card"))
    call = caller.operation(body, store=store, store_errors=(ValueError, KeyError))
    caught = []
    for _ in range(3):
        with pytest.raises(ValueError, match="no such card") as each:
            call()
        caught.append(each.value)
    assert len(ran) == 1
    assert len({id(error) for error in caught}) == 3


def test_all_errors_are_kept_where_that_is_said(caller, store):
    """With on_error="store" each error is an answer, but for rejections, which release."""
    rejected = seawall.errors.RateLimitedError("limit", 1.0)
    body, ran = failing(rejected, ValueError("no such card"))
    call = caller.operation(body, store=store, on_error="store", store_errors=ValueError)
    with pytest.raises(seawall.RateLimitedError):
        call()
    for _ in range(2):
        with pytest.raises(ValueError, match="no such card"):
            call()
    assert len(ran) == 2


def test_an_error_that_cant_be_built_again_is_told_by_name(caller, store):
    """Of a class that is none of the chosen ones, the later calls are told name and words."""
    body, ran = failing(Declined("no"))
    call = caller.operation(body, store=store, on_error="store")
    with pytest.raises(Declined):
        call()
    with pytest.raises(seawall.ReplayedError, match="Declined: no"):
        call()
    assert len(ran) == 1


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ({}, "released"),
        ({"at_most_once": True}, "quarantined"),
        ({"on_error": "store"}, "released"),
        ({"on_error": "store", "on_lost": "quarantine"}, "quarantined"),
    ],
)
@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_is_no_answer(store, how, left, end):
    """It is never kept, passes through, and quarantines where it may run only once."""
    body, _ = failing(end())
    with pytest.raises(end):
        idempotent(store=store, name="ends", **how)(body)()
    assert state(store) == left


@pytest.mark.parametrize(
    ("how", "left"), [({}, "released"), ({"at_most_once": True}, "quarantined")]
)
@pytest.mark.parametrize("host", LOOPS)
def test_a_cancelled_task_lets_go(store, how, left, host):
    """Cancelled in its body, an operation is released, or quarantined where it may run once."""

    async def main():
        inside = asyncio.Event()

        async def body():
            inside.set()
            await asyncio.sleep(60)

        task = asyncio.ensure_future(idempotent(store=store, name="cancelled", **how)(body)())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    LOOPS[host](main)
    # It was told without waiting for the answer.
    until(lambda: state(store) == left)


@pytest.mark.parametrize(
    ("how", "left"), [({}, "released"), ({"at_most_once": True}, "quarantined")]
)
def test_a_cancelled_scope_lets_go(store, how, left):
    """Likewise under trio, where nothing can be waited for any more."""

    async def main():
        async def body():
            scope.cancel()
            await trio.sleep_forever()

        with trio.CancelScope() as scope:
            await idempotent(store=store, name="cancelled", **how)(body)()
        assert scope.cancelled_caught

    trio.run(main)
    until(lambda: state(store) == left)


def test_a_coroutine_that_is_closed_lets_go(memory):
    """A task that is thrown away half-way releases what it had."""

    class Turn:
        def __await__(self):
            yield

    async def body():
        await Turn()

    coroutine = idempotent(store=memory, name="closed")(body)()
    coroutine.send(None)
    assert state(memory) == "in_progress"
    coroutine.close()
    assert state(memory) == "released"


class Hostile(Exception):
    """An error of which something can't be asked."""

    part = ""

    def __str__(self):
        if self.part == "text":
            raise ZeroDivisionError
        return "hostile"

    @property
    def __dict__(self):
        if self.part == "attributes":
            raise ZeroDivisionError
        return {}

    @property
    def __notes__(self):
        if self.part == "notes":
            raise ZeroDivisionError
        return [self] if self.part == "note" else []


@pytest.mark.parametrize("part", ["text", "attributes", "notes", "note"])
def test_an_error_that_says_nothing_of_itself_is_kept(caller, memory, part):
    """Whatever raises of a chosen error, the error is kept, and its lease ends."""
    error = type("Hostile", (Hostile,), {"part": part})()
    body, ran = failing(error, error)
    call = caller.operation(body, store=memory, store_errors=Hostile, at_most_once=True)
    with pytest.raises(Hostile) as caught:
        call()
    assert caught.value is error
    assert state(memory) == "failed"
    assert call.idempotency.local.running == {}
    with pytest.raises((Hostile, seawall.ReplayedError)):
        call()
    assert len(ran) == 1
