"""Callers that go away, and losers that do not."""

import asyncio
import contextlib
import gc
import signal
import sys
import threading
import time

import pytest
import seawall
import trio
from seawall.policies.hedge import tasks


def test_a_cancelled_caller_leaves_nobody(run, clock, service, counts, turns):
    """Every attempt is cancelled with it."""
    calls, hedge = service(10), seawall.Hedge(delay=0.1, max_hedges=3)
    hedged = hedge(calls.aanswer)

    async def main():
        if trio.lowlevel.in_trio_task():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hedged)
                await seawall.waiting.asleep(0.25)
                nursery.cancel_scope.cancel()
        else:
            task = asyncio.ensure_future(hedged())
            await seawall.waiting.asleep(0.25)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await turns()
        assert (calls.begun, calls.running) == (3, 0)
        assert sorted(calls.cancelled) == [0, 1, 2]

    run(main)
    assert counts(hedge) == {"cancelled": 1, "hedges": 2, "lost_cancelled": 3}


def test_losers_that_obey_have_ended_when_the_caller_goes_on(clock, service, counts):
    """They are cancelled by the end that decides, before the caller's turn."""
    calls, hedge = service(10, 10, 0.01), seawall.Hedge(delay=0.1, max_hedges=2)
    hedged = hedge(calls.aanswer)

    async def main():
        assert await hedged() == 2
        assert (calls.running, sorted(calls.cancelled)) == (0, [0, 1])
        assert counts(hedge) == {"hedged": 1, "hedges": 2, "lost_cancelled": 2}

    asyncio.run(main())


def test_a_loser_that_ignores_its_cancellation_holds_nobody(run, clock, counts, turns):
    """The caller has its answer, and the loser is seen to run until it ends."""
    hedge = seawall.Hedge("h", delay=0.1)
    begun = []

    @hedge
    async def work():
        begun.append(len(begun))
        if len(begun) == 2:
            return "second"
        if trio.lowlevel.in_trio_task():
            with trio.CancelScope(shield=True):
                await seawall.waiting.asleep(5)
        else:
            until = clock.elapsed + 5
            while clock.elapsed < until:
                try:
                    await seawall.waiting.asleep(until - clock.elapsed)
                except asyncio.CancelledError:
                    continue
        return "first"

    async def main():
        assert await work() == "second"
        assert clock.elapsed == 0.1
        assert counts(hedge) == {"hedged": 1, "hedges": 1, "losers": 1}
        gc.collect()
        await seawall.waiting.asleep(10)
        await turns()
        assert counts(hedge) == {"hedged": 1, "hedges": 1, "lost_succeeded": 1}

    run(main)


def test_what_losers_raise_is_told_nobody(run, clock, counts, turns, caplog):
    """No loop complains of an exception that was never retrieved; it is counted."""
    hedge = seawall.Hedge("h", delay=0.1)
    begun = []

    @hedge
    async def work():
        begun.append(len(begun))
        if len(begun) == 2:
            return "second"
        try:
            await seawall.waiting.asleep(5)
        finally:
            raise OSError("on the way out")

    async def main():
        assert await work() == "second"
        await turns()

    run(main)
    gc.collect()
    assert counts(hedge) == {"hedged": 1, "hedges": 1, "lost_failed": 1}
    assert not caplog.records


def test_a_cancellation_from_within_is_the_calls(clock, service, counts):
    """An attempt that cancels itself is not made again: the caller sees what it would have seen."""
    hedge = seawall.Hedge("h", delay=5)

    @hedge
    async def work():
        raise asyncio.CancelledError

    async def main():
        with pytest.raises(asyncio.CancelledError):
            await work()

    asyncio.run(main())
    assert counts(hedge) == {"passed": 1}


@pytest.mark.parametrize("delay", [0.1, None])
def test_an_attempt_that_somebody_else_cancels(clock, service, counts, delay):
    """Before its first step, or in it: the caller sees it, at the latest after the delay."""
    for turns in (0, 1):
        hedge = seawall.Hedge(delay=delay)
        calls = service(10)

        async def main(hedge=hedge, calls=calls, turns=turns):
            task = asyncio.ensure_future(hedge(calls.aanswer)())
            await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
            (attempt,) = asyncio.all_tasks() - {task, asyncio.current_task()}
            attempt.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert counts(hedge)["passed"] == 1
        assert clock.elapsed <= 0.1


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_ends_it(way, counts, interrupt, caplog):
    """It is no failure, starts no other attempt and comes to the caller."""
    begun = []
    hedge = seawall.Hedge("h", delay=5)

    async def in_task():
        begun.append(1)
        raise interrupt

    def in_thread():
        begun.append(1)
        raise interrupt

    with pytest.raises(interrupt):
        way.call(hedge(in_thread if way.threads else in_task))
    assert len(begun) == 1
    gc.collect()
    assert not caplog.records


def test_a_run_that_ends_takes_losers_along(counts):
    """A system task holds no run of trio's open, nor does a task hold asyncio's."""
    hedge = seawall.Hedge("h", delay=0)
    begun = []

    @hedge
    async def work():
        begun.append(len(begun))
        if len(begun) % 2 == 0:
            return "second"
        try:
            await seawall.waiting.asleep(3600)
        except asyncio.CancelledError:
            await seawall.waiting.asleep(3600)

    began = time.monotonic()
    assert trio.run(work) == "second"
    assert asyncio.run(work()) == "second"
    assert time.monotonic() - began < 60
    assert "losers" not in counts(hedge)


def test_a_loop_that_is_closed_leaves_no_count(counts):
    """Attempts of a loop that nobody runs any more are over when they are freed."""
    hedge = seawall.Hedge("h", delay=10)

    @hedge
    async def work():
        await asyncio.sleep(3600)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    task = loop.create_task(work())
    loop.run_until_complete(asyncio.sleep(0.01))
    assert counts(hedge) == {"in_flight": 1}
    for one in asyncio.all_tasks(loop):
        one._log_destroy_pending = False
    loop.close()
    del task, one
    gc.collect()
    seen = counts(hedge)
    assert seen.pop("lost_cancelled", 1) == 1
    assert seen == {"cancelled": 1}


def test_a_waiting_thread_can_be_interrupted(counts):
    """Ctrl-C ends the waiting, and the attempt is given up."""
    hedge = seawall.Hedge("h", delay=10)
    go = threading.Event()
    main = threading.get_ident()

    @hedge
    def work():
        go.wait(30)

    def interrupt():
        while sys._current_frames()[main].f_code.co_name != "rest":
            time.sleep(0.001)
        signal.pthread_kill(main, signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        work()
    helper.join()
    assert counts(hedge) == {"cancelled": 1, "losers": 1}
    assert hedge.snapshot().abandoned == 1
    go.set()
    for _ in range(3000):
        if not hedge.snapshot().abandoned:
            break
        time.sleep(0.001)
    assert counts(hedge) == {"cancelled": 1, "lost_succeeded": 1}


def test_an_interruption_of_a_loser_is_not_lost(counts):
    """Ctrl-C in the middle of what a loser does under trio ends the program all the same."""
    hedge = seawall.Hedge("h", delay=0)
    begun = []

    @hedge
    async def work():
        begun.append(len(begun))
        if len(begun) == 2:
            return "second"
        try:
            await trio.sleep_forever()
        finally:
            signal.raise_signal(signal.SIGINT)

    async def main():
        assert await work() == "second"
        begun.append("main")
        await trio.sleep(30)

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert begun == [0, 1, "main"]
    assert counts(hedge)["lost_cancelled"] == 1


def test_losers_of_many_loops_are_no_error_of_a_call(counts):
    """While one looks for what closed loops have left, those of other threads come and go."""
    hedge = seawall.Hedge("h", delay=0)
    begun, others = [], []
    go, come = threading.Event(), threading.Event()

    class Other:
        def __init__(self, loop):
            self._loop = loop

    class Loop(asyncio.SelectorEventLoop):
        def is_closed(self):
            if come.is_set():  # another thread's turn, as between any two steps
                others.append(Other(self))
                tasks._left.add(others[-1])
            return super().is_closed()

    @hedge
    async def work():
        begun.append(1)
        if len(begun) % 2 == 0:
            return "second"
        while not go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
        return "first"

    async def main():
        try:
            for _ in range(tasks._MANY):
                assert await work() == "second"
            come.set()
            assert await work() == "second"
        finally:
            come.clear()
            go.set()

    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(main())
        assert others
    finally:
        tasks._left.difference_update(others)
    assert counts(hedge)["hedged"] == tasks._MANY + 1
