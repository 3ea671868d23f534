"""Nothing begins where no time is left: not even with a permit."""

import pytest
import seawall


@pytest.fixture
def ran():
    """Which calls were made."""
    return []


def test_a_permit_that_comes_too_late_goes_to_the_next(run, clock, group, counts, ran):
    """Who wakes when its deadline has passed is refused, and holds nobody up."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    errors = []

    @bulkhead
    async def work(number):
        ran.append(number)

    async def hurried():
        with seawall.deadline(2), pytest.raises(seawall.BulkheadFullError) as refused:
            await work(1)
        errors.append((refused.value.why, refused.value.waited))

    async def main():
        async with group() as together:
            async with bulkhead:
                await together.start(hurried)
                await together.start(work, 2)
                clock.advance(3)
            assert counts(bulkhead)["in_flight"] == 1

    run(main)
    assert (errors, ran) == ([("deadline", 3.0)], [2])
    assert counts(bulkhead) == {"entered": 2, "waited": 1, "timed_out": 1}


def test_policies_of_time_ask_anew_behind_a_wait(run, clock, group, ran):
    """A retry further out asked while there was time; after the wait there may be none."""
    slow = seawall.Bulkhead(max_concurrent=1, max_wait=10, on_event=lambda _: clock.advance(5))
    guard = seawall.Pipeline("asks", seawall.Retry(attempts=1), slow, seawall.Timeout(60))

    @guard
    async def work():
        ran.append(1)

    async def hurried():
        with seawall.deadline(2), pytest.raises(seawall.DeadlineExceededError):
            await work()

    async def main():
        async with group() as together, slow:
            await together.start(hurried)

    run(main)
    assert (ran, slow.snapshot().in_flight, clock.elapsed) == ([], 0, 5.0)


def test_a_timeout_knows_its_own_deadline_behind_a_wait(clock, crowd, until, ran):
    """What is refused further in because of it has taken too long, and says so."""
    slow = seawall.Bulkhead(max_concurrent=1, max_wait=10, on_event=lambda _: clock.advance(5))
    guard = seawall.Pipeline("bounded", seawall.Timeout(2), slow, seawall.Timeout(1))

    def hold():
        with slow:
            until(lambda: slow.snapshot().waiting == 1)

    crowd.start(hold)
    until(lambda: slow.snapshot().in_flight == 1)
    with pytest.raises(seawall.CallTimeoutError):
        guard.call(ran.append, 1)
    crowd.join()
    assert (ran, slow.snapshot().in_flight) == ([], 0)


def test_a_timeout_around_it_bounds_the_waiting(run, clock):
    """Which ends with it, long before `max_wait`; whose time it was is what the caller learns."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    guard = seawall.Pipeline("bounded", seawall.Timeout(2), bulkhead)

    @guard
    async def work():
        return 1

    async def main():
        async with bulkhead:
            with pytest.raises(seawall.CallTimeoutError):
                await work()
        assert bulkhead.snapshot().waiting == 0
        assert await work() == 1

    run(main)
    assert clock.elapsed == pytest.approx(2.0, abs=0.002)


def test_a_timeout_around_it_bounds_a_threads_waiting(clock):
    """A plain call's too."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    timeout = seawall.Timeout(2)
    with bulkhead, pytest.raises(seawall.CallTimeoutError) as ended:
        timeout(bulkhead(print))()
    assert isinstance(ended.value.__cause__, seawall.BulkheadFullError)
    assert (ended.value.__cause__.why, clock.elapsed) == ("deadline", 2.0)
    assert timeout.snapshot().counts["timed_out"] == 1
    assert (bulkhead.snapshot().waiting, bulkhead.snapshot().in_flight) == (0, 0)


def test_a_nearer_deadline_than_the_timeouts_ends_it_as_its_own(clock):
    """A timeout answers for its own time only."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=10)
    with bulkhead, seawall.deadline(1), pytest.raises(seawall.BulkheadFullError):
        seawall.Timeout(2)(bulkhead(print))()
    assert clock.elapsed == 1.0
