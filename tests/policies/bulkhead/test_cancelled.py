"""Whoever waits may be cancelled at any moment, also in that in which it is let in."""

import asyncio
import contextlib
import gc
import random
import threading
import weakref

import pytest
import seawall
import trio
import trio.testing


def at_rest(bulkhead):
    """Nobody is in or waits, and every permit can be had."""
    gc.collect()
    seen = bulkhead.snapshot()
    assert (seen.in_flight, seen.waiting) == (0, 0)
    bulkhead.reconfigure(max_wait=0)
    makers = [_held(bulkhead) for _ in range(seen.limit)]
    for maker in makers:
        next(maker)
    assert not bulkhead.try_call(int).ok
    for maker in makers:
        maker.close()


def _held(bulkhead):
    with bulkhead:
        yield


def test_a_task_that_is_cancelled_leaves_the_queue(counts, line):
    """Those behind it move up, and it is counted as cancelled."""
    bulkhead = line.bulkhead

    async def main():
        async with bulkhead:
            tasks = [asyncio.create_task(line.work(number)) for number in range(4)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await asyncio.sleep(0)
            assert bulkhead.snapshot().waiting == 3
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(main())
    assert isinstance(results[1], asyncio.CancelledError)
    assert line.served == [0, 2, 3]
    assert counts(bulkhead) == {"entered": 4, "waited": 3, "cancelled": 1}


def test_granted_and_cancelled_in_one_turn(line):
    """The task that the permit was handed to never runs: the next one has it."""
    bulkhead = line.bulkhead

    async def main():
        async with bulkhead:
            tasks = [asyncio.create_task(line.work(number)) for number in range(3)]
            await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(main())
    assert isinstance(results[0], asyncio.CancelledError)
    assert line.served == [1, 2]
    at_rest(bulkhead)


def test_granted_and_cancelled_in_one_turn_of_trio(line):
    """Likewise, by a scope that was cancelled just before."""
    bulkhead = line.bulkhead
    scope = trio.CancelScope()

    async def cancelled():
        with scope:
            await line.work("cancelled")

    async def main():
        async with trio.open_nursery() as nursery, bulkhead:
            nursery.start_soon(cancelled)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(line.work, "next")
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()

    trio.run(main)
    assert line.served == ["next"]
    at_rest(bulkhead)


def test_wait_for_around_a_call_that_waits(counts):
    """Its time passes, and the place in the queue is free."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)

    @bulkhead
    async def work():
        pytest.fail("it was called")

    async def main():
        async with bulkhead:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(work(), 0.01)

    asyncio.run(main())
    assert counts(bulkhead) == {"entered": 1, "cancelled": 1}
    at_rest(bulkhead)


def test_a_cancelled_probe_gives_back_what_it_had_further_out():
    """A half-open breaker around the bulkhead has its place again, and nothing was counted."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
    with seawall.testing.clock() as clock:
        breaker = seawall.CircuitBreaker(
            failure_threshold=1, open_duration=10, half_open_calls=1, success_threshold=1
        )
        breaker.try_call(lambda: 1 / 0)
        clock.advance(10)

        @breaker
        @bulkhead
        async def work():
            return 1

        async def main():
            async with bulkhead:
                task = asyncio.create_task(work())
                await asyncio.sleep(0)
                assert bulkhead.snapshot().waiting == 1
                assert breaker.snapshot().in_flight == 1
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            assert (breaker.state, breaker.snapshot().in_flight) == ("half_open", 0)
            assert await work() == 1
            assert breaker.state == "closed"

        asyncio.run(main())


@pytest.mark.parametrize("how", ["close", "drop", "throw"])
@pytest.mark.parametrize("what", ["coroutine", "items", "block"])
def test_what_waits_may_be_thrown_away(how, what):
    """It leaves the queue. What it was to call never began, and nobody warns of that."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)

    @bulkhead
    async def work():
        pytest.fail("it was called")

    @bulkhead
    async def items():
        pytest.fail("it was called")
        yield

    async def block():
        async with bulkhead:
            pytest.fail("it was entered")

    async def main():
        async with bulkhead:
            made = {
                "coroutine": lambda: work(),
                "items": lambda: items().__anext__(),
                "block": lambda: block(),
            }[what]()
            stepped = made.__await__()
            del made
            stepped.send(None)
            assert bulkhead.snapshot().waiting == 1
            if how == "close":
                stepped.close()
            elif how == "throw":
                with pytest.raises(LookupError):
                    stepped.throw(LookupError())
            del stepped
            gc.collect()
            assert bulkhead.snapshot().waiting == 0

    asyncio.run(main())
    assert bulkhead.snapshot().counts["cancelled"] == 1
    at_rest(bulkhead)


def test_ctrl_c_ends_the_waiting_of_a_thread(monkeypatch):
    """What interrupts the wait is raised, and the place is free."""
    from seawall import waiting

    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting, "rest", interrupted)
    with bulkhead, pytest.raises(KeyboardInterrupt):
        bulkhead.call(int)
    assert bulkhead.snapshot().counts["cancelled"] == 1
    at_rest(bulkhead)


def a_loop_of_one_that_waits(line):
    """A loop that is not closed yet, and its task, which waits for the permit."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(line.work(1))
    loop.run_until_complete(asyncio.sleep(0))
    assert line.bulkhead.snapshot().waiting == 1
    task._log_destroy_pending = False
    return loop, task


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_loop_that_was_closed_keeps_no_permit(line):
    """A task waits on a loop that is closed: the permit goes past it, to the next."""
    bulkhead = line.bulkhead
    entered = bulkhead.__enter__()
    loop, task = a_loop_of_one_that_waits(line)
    loop.close()
    bulkhead.__exit__(None, None, None)
    assert entered is bulkhead
    assert bulkhead.snapshot().in_flight == 0
    del task
    at_rest(bulkhead)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_task_that_waits_is_kept_by_nobody(line):
    """The queue does not keep it alive: dropped with its loop, it is collected."""
    bulkhead = line.bulkhead
    with bulkhead:
        loop, task = a_loop_of_one_that_waits(line)
        seen = weakref.ref(task)
        loop.close()
        del task, loop
        gc.collect()
        assert seen() is None
        assert bulkhead.snapshot().waiting == 0
    at_rest(bulkhead)


def test_threads_and_tasks_that_come_go_and_give_up(crowd):
    """Hundreds of calls, of threads and of several loops, many of which give up at any moment.

    No permit is lost, and there are never too many.
    """
    bulkhead = seawall.Bulkhead(max_concurrent=2, max_wait=0.003, max_queue=20)
    lock, inside, most = threading.Lock(), [], []

    def enter():
        with lock:
            inside.append(1)
            most.append(len(inside))

    def leave():
        with lock:
            inside.pop()

    @bulkhead
    def plain(chance):
        enter()
        if chance.random() < 0.3:
            # Real time: so that threads meet.
            threading.Event().wait(0.0005)
        leave()

    @bulkhead
    async def task(chance):
        enter()
        try:
            # Real time: so that some meet the threads, and some give up meanwhile.
            await asyncio.sleep(chance.choice([0, 0.0005]))
        finally:
            leave()

    def threads(seed):
        chance = random.Random(seed)
        for _ in range(60):
            with contextlib.suppress(seawall.BulkheadFullError):
                plain(chance)

    def loops(seed):
        chance = random.Random(seed)

        async def one():
            with contextlib.suppress(TimeoutError, seawall.BulkheadFullError):
                await asyncio.wait_for(task(chance), chance.choice([0.0001, 0.001, 1]))

        async def main():
            for _ in range(15):
                await asyncio.gather(*[one() for _ in range(6)])

        asyncio.run(main())

    for seed in range(3):
        crowd.start(threads, seed)
        crowd.start(loops, seed)
    crowd.join()
    counts = bulkhead.snapshot().counts
    assert max(most) <= 2
    assert counts["waited"] > 0
    assert counts["timed_out"] + counts["cancelled"] > 0
    at_rest(bulkhead)
