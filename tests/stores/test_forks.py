"""A store that was open when its process forked: both sides go on, each for itself."""

import multiprocessing

import pytest
import seawall
from seawall._core import Op, Terms

from tests.children import printed

IN_A_LOOP = """
    import asyncio, os
    import seawall
    from seawall._core import Op, Terms

    store = seawall.open_store(URL)

    async def own(key):
        claim = Op.claim(store.address("pay", key.encode()), Terms())
        reply = await store.answer(claim)
        done = await store.answer(claim.complete(reply.fence, 7, b"x"))
        return reply.kind, done.kind

    async def many(who):
        return set(await asyncio.gather(*(own(f"{who}-{n}") for n in range(20))))

    async def main():
        first = await many("before")
        process = os.fork()
        if process == 0:
            assert asyncio.run(many("child")) == {("owned", "done")}
            assert store.stats().by_state["completed"] >= MINE
            os._exit(23)
        after = await many("parent")
        _, status = await asyncio.to_thread(os.waitpid, process, 0)
        return first, after, os.waitstatus_to_exitcode(status)

    done = asyncio.run(main())
    assert done == ({("owned", "done")}, {("owned", "done")}, 23), done
    print(store.stats().by_state["completed"])
"""


@pytest.mark.parametrize(
    ("url", "in_child", "in_parent"),
    [
        ("memory://", 20, 40),
        ("sqlite:///{}/s.db", 40, 60),
        ("sqlite:///{}/s.db?durability=relaxed", 40, 60),
    ],
    ids=["memory", "full", "relaxed"],
)
def test_a_fork_inside_of_a_loop(url, in_child, in_parent, tmp_path):
    """The child of a task leaves its parent's loop, makes one of its own, and uses the store."""
    program = IN_A_LOOP.replace("URL", repr(url.format(tmp_path))).replace("MINE", str(in_child))
    assert printed(program) == str(in_parent)


def test_an_answer_that_the_parent_waits_for(tmp_path):
    """In the child it never comes, and that is said; the parent gets it."""
    program = f"""
        import asyncio, os, signal
        import seawall
        from seawall._core import Op, Terms
        from tests.stores.holding import Holder

        store = seawall.open_store("sqlite:///{tmp_path}/s.db?busy_timeout=60", timeout=60)
        store.stats()
        holder = Holder("{tmp_path}/s.db")
        claim = Op.claim(store.address("pay", b"a"), Terms())

        async def main():
            task = asyncio.create_task(store.answer(claim))
            await asyncio.sleep(0)
            pending = store._native.submit(Op.claim(store.address("pay", b"b"), Terms()))
            process = os.fork()
            if process == 0:
                signal.alarm(30)
                try:
                    pending.take()
                except seawall.StoreError as error:
                    assert "forked" in str(error), error
                    os._exit(23)
                os._exit(1)
            _, status = os.waitpid(process, 0)
            assert os.waitstatus_to_exitcode(status) == 23
            holder.let_go()
            return (await task).kind

        print(asyncio.run(main()))
        holder.end()
    """
    assert printed(program) == "owned"


def use(url, key):
    """What a worker does with a store that it opens."""
    with seawall.open_store(url) as store:
        claim = Op.claim(store.address("pay", key), Terms())
        return store.call(claim).kind


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers(method, tmp_path):
    """Workers of every kind share a file with their parent."""
    url = f"sqlite:///{tmp_path}/s.db"
    with seawall.open_store(url) as store:
        store.stats()
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            owned = pool.starmap(use, [(url, b"a"), (url, b"a"), (url, b"b")])
        assert sorted(owned) == ["in_progress", "owned", "owned"]
        assert store.stats().by_state["in_progress"] == 2


def test_greenlets_of_gevent(tmp_path):
    """Under gevent a store that is busy keeps only the greenlet that asks it."""
    program = f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent
        import seawall
        from seawall._core import Op, Terms
        from tests.stores.holding import Holder

        store = seawall.open_store("sqlite:///{tmp_path}/s.db?busy_timeout=60", timeout=60)
        store.stats()
        holder = Holder("{tmp_path}/s.db")
        asked = gevent.spawn(
            lambda: store.call(Op.claim(store.address("pay", b"a"), Terms())).kind
        )
        turns = 0
        while turns < 100:
            gevent.sleep(0)
            turns += 1
        assert not asked.ready()
        holder.let_go()
        print(asked.get())
        holder.end()
    """
    assert printed(program) == "owned"
