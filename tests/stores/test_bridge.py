"""How the answers of stores reach those who wait: threads, and tasks on any loop."""

import asyncio
import gc
import threading
import time
import warnings
from pathlib import Path

import pytest
import seawall
import trio
import trio.testing
from seawall._core import Op, Terms

from tests.hosts import HOSTS, abandoned
from tests.stores.holding import held

TERMS = Terms()


def claim(store, key):
    """The wish to run an operation."""
    return Op.claim(store.address("pay", key.encode()), TERMS)


@pytest.fixture(params=["memory", "relaxed", "full"])
def store(request, tmp_path):
    """A store of each sort that there is without a server."""
    urls = {
        "memory": "memory://",
        "relaxed": f"sqlite:///{tmp_path}/s.db?durability=relaxed",
        "full": f"sqlite:///{tmp_path}/s.db",
    }
    with seawall.open_store(urls[request.param]) as store:
        yield store


@pytest.fixture(params=["relaxed", "full"])
def slow(request, tmp_path):
    """A store whose file another process writes to."""
    path = tmp_path / "s.db"
    url = f"sqlite:///{path}?durability={request.param}&busy_timeout=600"
    with seawall.open_store(url, timeout=600) as store:
        assert store.call(claim(store, "first")).kind == "owned"
        with held(path) as holder:
            yield store, holder


@pytest.mark.parametrize("run", HOSTS.values(), ids=HOSTS)
def test_tasks_are_answered(store, run):
    """A task hears what it asked, on every loop, many at once."""

    async def once(number, heard):
        asked = claim(store, f"k{number}")
        owned = await store.answer(asked)
        done = await store.answer(asked.complete(owned.fence, 0, b"%d" % number))
        replay = await store.answer(claim(store, f"k{number}"))
        heard.append((number, owned.kind, done.kind, replay.kind, replay.data))

    async def main():
        heard = []
        if run is HOSTS["trio"]:
            async with trio.open_nursery() as nursery:
                for number in range(20):
                    nursery.start_soon(once, number, heard)
        else:
            await asyncio.gather(*(once(number, heard) for number in range(20)))
        return heard

    expected = [(n, "owned", "done", "replay", b"%d" % n) for n in range(20)]
    assert sorted(run(main)) == expected


def test_a_loop_goes_on_while_a_store_is_busy(slow):
    """A task that waits for a store keeps nobody else from running."""
    store, holder = slow

    async def main():
        waits = asyncio.create_task(store.answer(claim(store, "a")))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        assert not waits.done()
        await asyncio.to_thread(holder.let_go)
        assert (await waits).kind == "owned"

    asyncio.run(main())


@pytest.mark.parametrize("over_trio", [False, True])
def test_a_cancelled_claim_is_given_back(slow, over_trio):
    """A claim that is given after its task was cancelled is released: another is given it."""
    store, holder = slow

    async def on_asyncio():
        waits = asyncio.create_task(store.answer(claim(store, "a")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits

    async def on_trio():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.answer, claim(store, "a"))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    trio.run(on_trio) if over_trio else asyncio.run(on_asyncio())
    holder.let_go()
    again = claim(store, "a")
    until(lambda: store.call(again).kind == "owned")


def test_a_claim_that_arrives_with_the_cancellation_is_given_back(slow):
    """The answer is there, its task is cancelled before it runs: the claim is released."""
    store, holder = slow

    async def main():
        waits = asyncio.create_task(store.answer(claim(store, "a")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        holder.let_go()
        until(lambda: store.get("a", scope="pay") is not None)
        # The answer is on its way, and this thread has kept the loop from reading it.
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", seawall.BlockingWaitWarning)
        asyncio.run(main())
    until(lambda: store.get("a", scope="pay").state == "released")


def test_patience_ends(slow):
    """An answer that does not come in time is an error, for threads and tasks alike."""
    store, _ = slow

    async def main():
        await store.answer(claim(store, "a"), 0.05)

    for ask in (
        lambda: store.call(claim(store, "a"), 0.05),
        lambda: asyncio.run(main()),
        lambda: trio.run(main),
    ):
        with pytest.raises(seawall.StoreTimeoutError, match="did not answer in time") as caught:
            ask()
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.outcome_unknown


def test_a_loop_is_closed_while_it_waits(slow):
    """A loop that is closed with a task in the middle of a question harms nobody."""
    store, holder = slow
    task = abandoned(store.answer(claim(store, "a")))
    holder.let_go()
    assert store.call(claim(store, "b")).kind == "owned"
    del task
    gc.collect()
    assert asyncio.run(store.answer(claim(store, "c"))).kind == "owned"
    again = claim(store, "a")
    until(lambda: store.call(again).kind == "owned")


def descriptors():
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("run", HOSTS.values(), ids=HOSTS)
def test_loops_leave_no_descriptors(tmp_path, run):
    """One loop after the other uses a store: the descriptors don't grow in number."""
    with seawall.open_store(f"sqlite:///{tmp_path}/s.db") as store:

        async def main():
            await store.aget("a")

        run(main)
        gc.collect()
        before = descriptors()
        for _ in range(20):
            run(main)
        gc.collect()
        assert descriptors() <= before


def test_loops_in_several_threads(store):
    """Loops in several threads share a store, each hears its own answers."""
    heard = {}

    def one(thread):
        async def main():
            for number in range(20):
                asked = claim(store, f"{thread}-{number}")
                owned = await store.answer(asked)
                await store.answer(asked.complete(owned.fence, 0, b"x"))
            return (await store.astats()).by_state["completed"]

        heard[thread] = asyncio.run(main())

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [0, 1, 2, 3]
    assert max(heard.values()) == 80


def test_a_loop_that_cannot_read_descriptors(tmp_path):
    """A loop that can't wait for a descriptor, as on Windows, has its tasks answered as well."""

    class Blind(asyncio.SelectorEventLoop):
        def add_reader(self, *_):
            raise NotImplementedError

        def _add_reader(self, *arguments):
            return super()._add_reader(*arguments)

    with (
        seawall.open_store(f"sqlite:///{tmp_path}/s.db") as store,
        asyncio.Runner(loop_factory=Blind) as runner,
    ):
        assert runner.run(store.answer(claim(store, "a"))).kind == "owned"
        assert runner.run(store.aget("a", scope="pay")).state == "in_progress"


def test_a_blocked_loop_is_told_of(slow):
    """A thread that runs a loop is warned before a store blocks it."""
    store, _ = slow

    async def main():
        with pytest.raises(seawall.StoreTimeoutError):
            store.call(claim(store, "a"), 0.01)

    with pytest.warns(seawall.BlockingWaitWarning, match=r"store sqlite:.* an asyncio event loop"):
        asyncio.run(main())


def test_ctrl_c_ends_the_wait_of_a_thread(slow):
    """The main thread hears Ctrl-C while it waits; its claim is given back."""
    import signal

    store, holder = slow
    # Real time: the signal has to come while the thread is blocked outside of the interpreter.
    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        store.call(claim(store, "a"))
    holder.let_go()
    until(lambda: store.call(claim(store, "a")).kind == "owned")


def until(holds):
    """Waits for what other threads and processes bring about, for ten seconds at most."""
    last = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < last
        # Real time: other processes are waited for.
        time.sleep(0.005)
