"""Waiting for a permit, with timeouts, breakers and retries around it and inside of it."""

import asyncio

import pytest
import seawall
import trio


def test_a_timeout_inside_counts_from_when_it_is_let_in(run, clock):
    """Time in the queue is not the callee's."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    guard = seawall.Pipeline("fair", bulkhead, seawall.Timeout(2))
    left = []

    @guard
    async def work():
        left.append(seawall.remaining())
        await clock.asleep(1.5)
        return 1

    async def main():
        return await both(work, work)

    assert run(main) == [1, 1]
    assert left == [2.0, 2.0]


async def both(one, other):
    """Runs two at once."""
    results = []

    async def keep(function):
        results.append(await function())

    if trio.lowlevel.in_trio_task():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep, one)
            nursery.start_soon(keep, other)
    else:
        await asyncio.gather(keep(one), keep(other))
    return results


def test_a_slow_call_is_not_one_that_waited(run, clock):
    """A breaker's slow-call clock starts after the queue."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    breaker = seawall.CircuitBreaker(slow_call_rate=1.0, slow_call_duration=2, min_calls=1)

    @breaker
    @bulkhead
    async def work():
        await clock.asleep(1.5)

    async def main():
        await both(work, work)

    run(main)
    assert breaker.snapshot().counts["slow"] == 0


def test_a_retry_waits_for_a_permit_at_each_attempt(run, clock, counts):
    """And holds none while it sleeps between two."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    seen = []

    @seawall.Retry(attempts=3, backoff=1)
    @bulkhead
    async def work():
        seen.append(clock.elapsed)
        await clock.asleep(1)
        raise ConnectionError

    async def caught():
        with pytest.raises(ConnectionError):
            await work()

    async def main():
        await both(caught, caught)

    run(main)
    assert seen == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert counts(bulkhead)["entered"] == 6


def test_a_plain_retry_waits_as_well(crowd, until):
    """Each attempt of a thread queues anew."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
    guard = seawall.Pipeline("again", seawall.Retry(attempts=2, backoff=0), bulkhead)
    calls = []

    def work():
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError
        return "done"

    results = []
    with bulkhead:
        crowd.start(lambda: results.append(guard.call(work)))
        until(lambda: bulkhead.snapshot().waiting == 1)
    crowd.join()
    assert results == ["done"]
    assert bulkhead.snapshot().counts["entered"] == 3


def test_a_refusal_may_be_tried_again(clock):
    """If the retry says so: it waits, is refused, sleeps and waits again."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=2)
    retry = seawall.Retry(attempts=2, backoff=1, on=seawall.BulkheadFullError)
    guard = seawall.Pipeline("again", retry, bulkhead)
    with bulkhead, pytest.raises(seawall.BulkheadFullError):
        guard.call(int)
    assert clock.elapsed == 5.0
    assert bulkhead.snapshot().counts["timed_out"] == 2
