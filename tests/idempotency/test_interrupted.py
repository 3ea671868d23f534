"""Callers that are interrupted or cancelled at the worst moments: no key is kept by nobody."""

import asyncio
import contextlib
import itertools

import pytest
from seawall.idempotency import idempotency_key, idempotent
from seawall.idempotency.local import local_of
from seawall.stores import Store, StoreBusyError, open_store

from tests.threads import until

LATER = {"lease": 3600.0, "max_lease": 3600.0}


@pytest.fixture
def disk(tmp_path):
    """A store in a file."""
    with open_store(f"sqlite:///{tmp_path}/store.db?durability=relaxed") as store:
        yield store


@pytest.fixture
def told(monkeypatch):
    """What a store is told that hears the first question, and nothing after it."""
    told, numbers = [], itertools.count()
    call, answer = Store.call, Store.answer

    def listen(store, op):
        if next(numbers):
            told.append(op)
            raise StoreBusyError(store.name, "it is busy")

    def deaf_call(store, op, patience=None):
        listen(store, op)
        return call(store, op, patience)

    async def deaf_answer(store, op, patience=None):
        listen(store, op)
        return await answer(store, op, patience)

    monkeypatch.setattr(Store, "call", deaf_call)
    monkeypatch.setattr(Store, "answer", deaf_answer)
    return told


@pytest.mark.parametrize("how", ["returned", "raised", "block"])
def test_cancelled_between_two_tellings(disk, told, how):
    """Cancelled while the store is to be told once more, a call is over: no lease is renewed."""

    async def body():
        if how == "raised":
            raise ZeroDivisionError

    call = idempotent(store=disk, name="task")(body)

    async def block():
        async with idempotency_key("k", store=disk):
            await body()

    async def main():
        task = asyncio.ensure_future(block() if how == "block" else call())
        while not told:
            # Real time: the store's answer to the claim takes some.
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert local_of(disk).running == {}
    end = "released" if how == "raised" else "completed"
    until(lambda: [record.state for record in kept(disk)] == [end])


@pytest.mark.parametrize("how", ["returned", "raised", "block"])
def test_interrupted_between_two_tellings(disk, told, monkeypatch, how):
    """Likewise by Ctrl-C."""

    def body():
        if how == "raised":
            raise ZeroDivisionError

    def interrupt(seconds, who=None):
        raise KeyboardInterrupt

    monkeypatch.setattr("seawall.waiting.sleep", interrupt)
    block = idempotency_key("k", store=disk) if how == "block" else contextlib.nullcontext()
    run = body if how == "block" else idempotent(store=disk, name="thread")(body)
    with pytest.raises(KeyboardInterrupt), block:
        run()
    assert told
    assert local_of(disk).running == {}
    end = "released" if how == "raised" else "completed"
    until(lambda: [record.state for record in kept(disk)] == [end])


# A function asks a store in memory within one native step, which nothing interrupts.
@pytest.mark.parametrize("space", ["sqlite", "redis", "postgresql"], indirect=True)
@pytest.mark.parametrize("block", [False, True])
@pytest.mark.parametrize("kind", ["owned before", "owned after"])
def test_interrupted_while_it_asks(space, monkeypatch, block, kind):
    """Ctrl-C beside the answer to a claim gives the claim back, also at most once: nothing ran."""
    call = Store.call

    def interrupted(store, op, patience=None):
        if kind == "owned before":
            raise KeyboardInterrupt
        call(store, op, patience)
        raise KeyboardInterrupt

    with open_store(**space) as store:
        monkeypatch.setattr(Store, "call", interrupted)
        run = idempotent(store=store, name="asks", at_most_once=True, **LATER)(lambda: "ran")
        entered = idempotency_key("k", store=store, name="asks", at_most_once=True, **LATER)
        with pytest.raises(KeyboardInterrupt):
            entered.__enter__() if block else run()
        monkeypatch.undo()
        until(lambda: [record.state for record in store.list()] == ["released"])
        assert run() == "ran"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_on_the_way_into_a_block(memory, monkeypatch, error):
    """What falls between the claim and the block leaves no lease that is renewed."""

    class Interrupted:
        def get(self):
            """Nothing is there."""

        def set(self, run):
            raise error

    monkeypatch.setattr("seawall.idempotency.blocks.current", Interrupted())
    with pytest.raises(error), idempotency_key("k", store=memory, at_most_once=True):
        pytest.fail("it has begun")
    assert local_of(memory).running == {}
    assert [record.state for record in memory.list()] == ["released"]


def kept(store):
    """The records, asked for past whoever does not hear."""
    from seawall._core import Op
    from seawall.stores import walks

    op = Op.list(store.namespace, None, None, None)
    pending = store._native.submit(op)
    until(lambda: pending.is_there)
    return walks.records(pending.take())[0]
