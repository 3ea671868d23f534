"""Stores on real servers that are frozen, killed, and set up badly."""

import asyncio
import socket
import time
import warnings

import pytest
import seawall
import trio
from seawall._core import Op, Terms

from tests.hosts import HOSTS


def claim(store, key):
    """The wish to run an operation."""
    return Op.claim(store.address("pay", key.encode()), Terms())


@pytest.fixture(params=["own_valkey", "own_postgres"])
def server(request):
    """A server that may be frozen and killed."""
    return request.getfixturevalue(request.param)


def pair(store, key):
    """An operation that takes effect, asked for by a thread."""
    asked = claim(store, key)
    owned = store.call(asked)
    return owned.kind, store.call(asked.complete(owned.fence, 7, b"x")).kind


@pytest.mark.timeout(120)
def test_a_server_that_freezes_and_dies(server):
    """Frozen: the loop goes on, patience ends, a cancelled claim is given back. Dead: a StoreError.

    Then it is started again, and the same store goes on.
    """
    done = ("owned", "done")
    with seawall.open_store(server.url(), timeout=60) as store:
        assert pair(store, "first") == done

        async def frozen():
            waits = asyncio.create_task(store.answer(claim(store, "a")))
            for _ in range(100):
                await asyncio.sleep(0)
            assert not waits.done()
            waits.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waits

        async def patience():
            await store.answer(claim(store, "b"), 0.1)

        server.pause()
        try:
            asyncio.run(frozen())
            for ask in (
                lambda: store.call(claim(store, "b"), 0.1),
                lambda: asyncio.run(patience()),
                lambda: trio.run(patience),
            ):
                with pytest.raises(seawall.StoreTimeoutError):
                    ask()
        finally:
            server.resume()
        # What was given to those who had gone was given back: nobody waits for a lease.
        for key in ("a", "b"):
            again = claim(store, key)
            until(lambda again=again: store.call(again).kind == "owned")

        server.kill()
        begun = time.monotonic()
        with pytest.raises(seawall.StoreError) as caught:
            store.call(claim(store, "c"))
        with pytest.raises(seawall.StoreError):
            asyncio.run(store.aget("c", scope="pay"))
        # Real time: a connection is tried for five seconds each.
        assert time.monotonic() - begun < 20
        assert caught.value.store.endswith(server.url().partition("//")[2])
        server.start()
        until(lambda: store.get("first", scope="pay") is not None)
        assert pair(store, "last") == done


@pytest.mark.parametrize("run", HOSTS.values(), ids=HOSTS)
@pytest.mark.parametrize("where", ["redis_url", "postgres_url"])
def test_tasks_are_answered(where, run, request):
    """A hundred questions at once, on every loop, each with its own answer."""
    with seawall.open_store(request.getfixturevalue(where)) as store:

        async def once(number, heard):
            asked = claim(store, f"k{number}")
            owned = await store.answer(asked)
            await store.answer(asked.complete(owned.fence, 7, b"%d" % number))
            replay = await store.answer(claim(store, f"k{number}"))
            heard.append((number, replay.data))

        async def main():
            heard = []
            if run is HOSTS["trio"]:
                async with trio.open_nursery() as nursery:
                    for number in range(100):
                        nursery.start_soon(once, number, heard)
            else:
                await asyncio.gather(*(once(number, heard) for number in range(100)))
            return heard

        assert sorted(run(main)) == [(number, b"%d" % number) for number in range(100)]


def test_a_server_that_may_forget(own_valkey):
    """Who uses it is warned, once; where that is an error, the claim that came with it is free."""
    with socket.create_connection(("127.0.0.1", own_valkey.port), timeout=5) as connection:
        connection.sendall(b"CONFIG SET maxmemory-policy allkeys-lru\r\n")
        assert connection.recv(64) == b"+OK\r\n"
    with seawall.open_store(own_valkey.url()) as store:
        with pytest.warns(seawall.StoreWarning, match=r"store redis://127.* allkeys-lru"):
            store.call(claim(store, "a"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert store.call(claim(store, "b")).kind == "owned"
    with seawall.open_store(own_valkey.url()) as store:
        with pytest.raises(seawall.StoreWarning):
            store.call(claim(store, "c"))
        again = claim(store, "c")
        until(lambda: store.call(again).kind == "owned")


def until(holds):
    """Waits for what other threads and processes bring about, for twenty seconds at most."""
    last = time.monotonic() + 20
    while True:
        try:
            if holds():
                return
        except seawall.StoreError:
            pass  # the server is only just starting
        assert time.monotonic() < last
        # Real time: other processes are waited for.
        time.sleep(0.01)
