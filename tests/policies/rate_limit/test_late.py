"""Nothing begins where no time is left: not even when a call's turn has come."""

import asyncio

import pytest
import seawall


def test_who_wakes_too_late_is_refused_and_gives_its_time_back(clock):
    """Its turn came in time, but its loop was kept busy past its deadline."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=60)
    ran = []

    @limit
    async def work(number):
        ran.append((number, clock.elapsed))

    async def main():
        await work(0)
        with seawall.deadline(1.5):
            hurried = asyncio.create_task(work(1))
        while limit.snapshot().in_flight == 0:
            await asyncio.sleep(0)
        clock.advance(1.9)
        with pytest.raises(seawall.RateLimitedError):
            await hurried
        await work(2)

    asyncio.run(main())
    assert ran == [(0, 0.0), (2, 1.9)]
    assert limit.snapshot().in_flight == 0


def test_a_turn_at_the_very_end_of_the_time_is_too_late(clock):
    """A deadline has passed at its own instant: the wait for it is hopeless from the beginning."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=60)
    limit.call(int)
    with seawall.deadline(1), pytest.raises(seawall.RateLimitedError) as refused:
        limit.call(int)
    assert (refused.value.retry_after, clock.elapsed) == (1, 0)


def test_a_retry_waits_for_as_long_as_the_limit_says():
    """A refusal that is tried again is heard."""
    limit = seawall.RateLimit(limit=1, burst=1)
    retry = seawall.Retry(attempts=2, on=seawall.RateLimitedError, backoff=0.1)
    with seawall.testing.clock(autojump=True) as clock:
        guard = seawall.Pipeline("patient", retry, limit)
        assert (guard.call(int), clock.elapsed) == (0, 0.0)
        assert (guard.call(int), clock.elapsed) == (0, 1.0)
