"""Whoever waits for a permit is served in turn, or told in time; and may leave."""

import asyncio
import contextlib
import threading

import pytest
import seawall


def test_tasks_are_served_in_order(run, clock, group, counts):
    """First come, first served, and nobody overtakes."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=100)
    served = []

    @bulkhead
    async def work(number):
        served.append(number)
        await clock.asleep(1)

    async def main():
        async with group() as together:
            for number in range(6):
                await together.start(work, number)
            assert counts(bulkhead) == {"entered": 1, "in_flight": 1, "waiting": 5}

    run(main)
    assert served == list(range(6))
    assert counts(bulkhead) == {"entered": 6, "waited": 5}
    assert clock.elapsed == 6.0


def test_threads_are_served_in_order(crowd, until):
    """Blocked threads too are let in as they came."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
    served = []
    with bulkhead:
        for number in range(6):
            crowd.start(bulkhead.call, served.append, number)
            until(lambda number=number: bulkhead.snapshot().waiting == number + 1)
        assert served == []
    crowd.join()
    assert served == list(range(6))


def test_threads_and_tasks_wait_in_one_queue(run, crowd, until, group, line):
    """In the order in which they came, whoever runs them."""
    bulkhead = line.bulkhead

    async def main():
        async with group() as together, bulkhead:
            for number in range(0, 6, 2):
                await together.start(line.work, number)
                crowd.start(bulkhead.call, line.served.append, number + 1)
                until(lambda number=number: bulkhead.snapshot().waiting == number + 2)

    run(main)
    crowd.join()
    assert line.served == list(range(6))


def test_a_task_is_woken_by_a_thread(run, crowd, group):
    """The loop is told from outside, and needs no turn of its own to notice."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
    go = threading.Event()
    inside = threading.Event()

    def hold():
        inside.set()
        go.wait(30)

    crowd.start(bulkhead.call, hold)
    inside.wait(30)

    @bulkhead
    async def work():
        return 1

    async def main():
        async with group() as together:
            await together.start(work)
            assert bulkhead.snapshot().waiting == 1
            go.set()

    run(main)
    assert bulkhead.snapshot().counts["waited"] == 1


def test_it_waits_no_longer_than_it_may(run, clock, counts):
    """`max_wait` to the nanosecond; then it is refused, and is in nobody's way."""
    bulkhead = seawall.Bulkhead("full", max_concurrent=1, max_wait=3)

    @bulkhead
    async def work():
        return 1

    async def main():
        async with bulkhead:
            with pytest.raises(seawall.BulkheadFullError) as refused:
                await work()
        assert await work() == 1
        return refused.value

    error = run(main)
    assert (error.why, error.waited) == ("waited", 3.0)
    assert "none ended within 3 s" in str(error)
    assert clock.elapsed == 3.0
    assert counts(bulkhead) == {"entered": 2, "timed_out": 1}


def test_a_thread_waits_no_longer_than_it_may(clock):
    """Blocked for `max_wait`, and refused then."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=3)
    with bulkhead, pytest.raises(seawall.BulkheadFullError) as refused:
        bulkhead.call(int)
    assert (refused.value.why, clock.elapsed) == ("waited", 3.0)


def test_the_queue_is_bounded(run, clock, group, counts):
    """Those beyond are refused at once, and say how many wait."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=3, max_queue=2)

    @bulkhead
    async def work():
        await clock.asleep(1)

    async def main():
        async with group() as together:
            for _ in range(3):
                await together.start(work)
            with pytest.raises(seawall.BulkheadFullError, match="2 wait") as refused:
                await work()
            return refused.value

    error = run(main)
    assert (error.why, error.waiting) == ("full", 2)
    assert counts(bulkhead) == {"entered": 3, "waited": 2, "rejected": 1}


def test_a_deadline_ends_the_waiting(run, clock):
    """It bounds every wait of seawall's; what ends so is a refusal, which speaks against nobody."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    breaker = seawall.CircuitBreaker(failure_threshold=1)

    @breaker
    @bulkhead
    async def work():
        return 1

    async def main():
        async with bulkhead:
            with seawall.deadline(2), pytest.raises(seawall.BulkheadFullError) as refused:
                await work()
        return refused.value

    error = run(main)
    assert (error.why, error.waited, clock.elapsed) == ("deadline", 2.0, 2.0)
    assert breaker.state == "closed"


def test_a_hopeless_wait_is_refused_at_once(clock):
    """Nobody queues whose deadline has passed."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    with bulkhead, seawall.deadline(1):
        clock.advance(1)
        with pytest.raises(seawall.BulkheadFullError) as refused:
            bulkhead.call(int)
    assert (refused.value.why, refused.value.waited) == ("deadline", 0.0)
    assert clock.elapsed == 1.0


def test_a_plain_call_in_a_loop_warns(counts):
    """It blocks the loop, whoever holds the permits there."""
    bulkhead = seawall.Bulkhead("blocking", max_concurrent=1, max_wait=0.001)

    async def main():
        async with bulkhead:
            with (
                pytest.warns(seawall.BlockingWaitWarning, match="blocking.*asyncio"),
                contextlib.suppress(seawall.BulkheadFullError),
            ):
                bulkhead.call(int)

    asyncio.run(main())
    assert counts(bulkhead) == {"entered": 1, "timed_out": 1}


def test_generators_wait_too(crowd, until):
    """For their first item."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
    got = []

    @bulkhead
    def items():
        yield 1
        yield 2

    with bulkhead:
        crowd.start(lambda: got.extend(items()))
        until(lambda: bulkhead.snapshot().waiting == 1)
    crowd.join()
    assert got == [1, 2]
    assert bulkhead.snapshot().in_flight == 0


def test_async_generators_and_blocks_wait_too(run, group, clock):
    """For their first item, and to be entered."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
    got = []

    @bulkhead
    async def items():
        yield 1
        await clock.asleep(1)
        yield 2

    async def consume():
        got.extend([item async for item in items()])

    async def block():
        async with bulkhead:
            got.append("block")

    async def main():
        async with group() as together, bulkhead:
            for function in (consume, block, consume):
                await together.start(function)
            assert bulkhead.snapshot().waiting == 3

    run(main)
    assert got == [1, 2, "block", 1, 2]
    assert bulkhead.snapshot().in_flight == 0


def test_async_generators_and_blocks_are_refused_too(run, clock):
    """When they have waited in vain; and that is the end of them."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=3)

    @bulkhead
    async def items():
        yield 1

    async def main():
        async with bulkhead:
            made = items()
            with pytest.raises(seawall.BulkheadFullError):
                await anext(made)
            with pytest.raises(StopAsyncIteration):
                await anext(made)
            with pytest.raises(seawall.BulkheadFullError):
                async with bulkhead:
                    pytest.fail("it was entered")

    run(main)
    assert clock.elapsed == 6.0
    assert bulkhead.snapshot().in_flight == 0
