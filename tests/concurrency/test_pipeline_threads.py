"""One pipeline of each policy under many threads, loops and processes."""

import asyncio
import pathlib
import threading

import pytest
import seawall
import trio

from tests import needs
from tests.children import printed
from tests.threads import in_threads

#: The threads of this process, where the system lists them.
TASKS = pathlib.Path("/proc/self/task")


@pytest.fixture(autouse=True)
def own_registry():
    """Names taken by a test are free for the next one."""
    with seawall.testing.isolated():
        yield


def guards():
    """The pipeline of a service; and one whose attempts have threads of their own."""
    yield seawall.standard("shop")
    pool = seawall.Timeout(30, name="pool", pool="threads")
    budget = seawall.RetryBudget("pooled")
    yield seawall.Pipeline("pooled", seawall.Retry("pooled", backoff=0, budget=budget), pool)


def test_nobody_waits_for_anybody_elses_call():
    """Sixteen threads are inside of it at once, in first attempts and in later ones.

    pybreaker holds a lock during the call; what hangs would hold up all the others.
    """
    for guard in guards():
        together = threading.Barrier(16)
        mine = threading.local()

        @guard
        def work(first, together=together):
            together.wait(20)
            if first:
                first.pop()
                raise ConnectionError
            return "done"

        def one(_, work=work, mine=mine):
            mine.first = [1]
            assert work(mine.first) == "done"

        in_threads(16, one)


def test_settings_change_while_calls_hang():
    """Changing and reading a pipeline waits for no call that is inside."""
    guard = seawall.standard("shop")
    inside, release = threading.Event(), threading.Event()

    @guard
    def hangs():
        inside.set()
        assert release.wait(30)
        return "old"

    def other():
        assert inside.wait(20)
        guard.reconfigure({"shop.total": {"seconds": 8}}, retry={"attempts": 2})
        assert [policy.snapshot().in_flight for policy in guard.policies] == [1] * 5
        assert guard.call(int) == 0
        release.set()

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    assert hangs() == "old"
    thread.join(20)
    assert not thread.is_alive()


@needs.fork
def test_fork_during_a_call():
    """A child forked in a call, with other threads in theirs, can call, try again and time out."""
    program = """
        import asyncio, faulthandler, os, threading, time, warnings
        import seawall

        warnings.simplefilter("ignore", DeprecationWarning)
        budget = seawall.RetryBudget(ratio=1, on_event=lambda event: None)
        retry = {"backoff": 0, "budget": budget, "nested": "independent"}
        guard = seawall.standard("forked", retry=retry, breaker={"failure_threshold": 9000})
        pool = seawall.Timeout(0.05, name="pool", pool="threads")
        stop = threading.Event()

        def fails_once(seen):
            seen.append(1)
            if len(seen) == 1:
                raise ConnectionError
            return len(seen)

        def load():
            while not stop.is_set():
                guard.call(fails_once, [])
                pool.call(int)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()

        def calls():
            for _ in range(50):
                assert guard.call(fails_once, []) in (1, 2)
            try:
                pool.call(time.sleep, 1)
            except seawall.CallTimeoutError:
                pass
            else:
                raise AssertionError
            try:
                asyncio.run(seawall.Timeout(0.01).call(asyncio.sleep, 30))
            except seawall.CallTimeoutError:
                pass
            else:
                raise AssertionError
            assert guard.policies[0].snapshot().in_flight >= 1

        @guard
        def function():
            pids = []
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    # Says where it hangs, if it does.
                    faulthandler.dump_traceback_later(30, exit=True)
                    code = 1
                    try:
                        calls()
                        code = 0
                    finally:
                        os._exit(code)
                pids.append(child)
            return {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids}

        codes = function()
        stop.set()
        for thread in threads:
            thread.join()
        print(codes)
    """
    assert printed(program, timeout=100) == "{0}"


def kernel_threads():
    """How many threads this process has, also those that Python knows nothing of."""
    return sum(1 for _ in TASKS.iterdir())


@needs.proc
def test_no_thread_is_started():
    """Attempts, timeouts, deadlines and budgets need none: limits starts one every 10 ms."""
    budget = seawall.RetryBudget(ratio=1)
    retry = {"backoff": 0.001, "budget": budget}
    guard = seawall.standard("shop", retry=retry, breaker={"failure_threshold": 9000})
    most = []

    async def work(seen):
        most.append(kernel_threads())
        async with seawall.deadline(20):
            # Real time: what waits for it might start a thread.
            await asyncio.sleep(0.001)
        seen.append(1)
        if len(seen) == 1:
            raise ConnectionError

    async def main():
        await asyncio.gather(*(guard.call(work, []) for _ in range(300)))

    def plain(seen):
        most.append(kernel_threads())
        seen.append(1)
        if len(seen) == 1:
            raise ConnectionError

    before = kernel_threads()
    asyncio.run(main())
    for _ in range(300):
        guard.call(plain, [])
    assert len(most) >= 1200
    assert max(most) <= before


def test_made_without_a_loop_and_used_in_many():
    """Decorated where none runs, as at import (hyx needs one); one loop after another runs it."""
    guard = seawall.standard("shop", retry={"backoff": 0})
    failures = []

    @guard
    async def work(sleep):
        await sleep(0)
        if len(failures) % 2 == 0:
            failures.append(1)
            raise ConnectionError
        failures.append(2)
        return "done"

    for _ in range(3):
        assert asyncio.run(work(asyncio.sleep)) == "done"
        assert trio.run(work, trio.sleep) == "done"
    in_threads(4, lambda _: asyncio.run(guard.call(asyncio.sleep, 0)))
    assert guard.policies[1].snapshot().counts["recovered"] == 6
