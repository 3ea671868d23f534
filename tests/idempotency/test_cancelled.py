"""Callers that are cancelled: while they ask, while they wait, and while they tell."""

import asyncio
import contextlib
import contextvars
import threading

import pytest
import trio
from seawall.idempotency import ResultUnavailableError, idempotent

from tests.hosts import LOOPS, pause
from tests.threads import until


@pytest.mark.parametrize("host", LOOPS)
def test_cancelled_at_every_turn_nobody_keeps_the_key(store, host):
    """Cancelled after any number of turns of the loop, a call has ended, or lets its key go."""

    async def body():
        for _ in range(3):
            await pause()
        return "ran"

    call = idempotent(store=store, name="turns")(body)

    async def main():
        for turns in range(12):
            task = asyncio.ensure_future(call())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                assert await task == "ran"
        # Whoever comes now gets it without waiting for anybody's lease.
        async with asyncio.timeout(5):
            return await call()

    assert LOOPS[host](main) == "ran"
    until(lambda: [record.state for record in store.list()] == ["completed"])


def test_cancelled_at_every_turn_under_trio(store):
    """Likewise under trio."""

    async def body():
        for _ in range(3):
            await pause()
        return "ran"

    call = idempotent(store=store, name="turns")(body)

    async def main():
        for turns in range(12):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call)
                for _ in range(turns):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
        with trio.fail_after(5):
            return await call()

    assert trio.run(main) == "ran"
    until(lambda: [record.state for record in store.list()] == ["completed"])


@pytest.mark.parametrize("host", LOOPS)
def test_who_waits_can_be_cancelled(memory, host):
    """A duplicate that waits is cancelled at once, and the one that runs goes on."""
    ran = []

    async def main():
        go_on = asyncio.Event()

        async def body():
            ran.append(1)
            await go_on.wait()
            return "ran"

        call = idempotent(store=memory, name="waits")(body)
        first = asyncio.ensure_future(call())
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(call()) for _ in range(3)]
        await asyncio.sleep(0)
        others[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await others[0]
        go_on.set()
        return [await first, await others[1], await others[2]]

    assert LOOPS[host](main) == ["ran", "ran", "ran"]
    assert ran == [1]


def test_a_loop_that_is_gone_does_not_stop_the_others(memory):
    """A run ends although who waits for it has gone with its loop; a thread that waits goes on."""
    inside, go_on = threading.Event(), threading.Event()

    def body():
        inside.set()
        assert go_on.wait(30)
        return "ran"

    results = []
    call = idempotent(store=memory, name="gone")(body)
    runner = threading.Thread(target=lambda: results.append(call()))
    runner.start()
    assert inside.wait(30)

    async def waiting():
        return "never"

    protected = idempotent(store=memory, name="gone")(waiting)
    loop = asyncio.new_event_loop()
    task = loop.create_task(protected())
    task._log_destroy_pending = False
    for _ in range(3):
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    other = threading.Thread(target=lambda: results.append(call()))
    other.start()
    go_on.set()
    runner.join(30)
    other.join(30)
    assert results == ["ran", "ran"]


def test_a_coroutine_that_is_closed_elsewhere_lets_go(memory):
    """Closed in another context, as by the garbage collection, it says nothing and lets go."""

    class Turn:
        def __await__(self):
            yield

    async def body():
        await Turn()

    coroutine = idempotent(store=memory, name="closed")(body)()
    coroutine.send(None)
    contextvars.Context().run(coroutine.close)
    assert [record.state for record in memory.list()] == ["released"]


def test_an_interruption_on_the_way_to_the_body_lets_go(memory, monkeypatch):
    """What falls between the claim and the body leaves nothing that is renewed for ever."""
    call = idempotent(store=memory, name="between")(lambda: None)
    monkeypatch.setattr("seawall.idempotency.functions.current", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        call()
    assert call.idempotency.local.running == {}
    assert [record.state for record in memory.list()] == ["released"]


class Interrupted:
    """Ctrl-C, in the place of the variable that a body finds its claim in."""

    def get(self):
        """Nothing is there."""

    def set(self, run):
        """Falls here."""
        raise KeyboardInterrupt


def test_an_interruption_after_the_body_is_no_second_run(memory):
    """What falls into the writing of a result does not undo that the body took effect."""

    class Codec:
        name, number = "interrupted", 200

        def encode(self, value):
            raise KeyboardInterrupt

        def decode(self, data):
            raise AssertionError

    ran = []
    call = idempotent(store=memory, name="after", codec=Codec())(lambda: ran.append(1))
    with pytest.raises(KeyboardInterrupt):
        call()
    with pytest.raises(ResultUnavailableError):
        call()
    assert ran == [1]
