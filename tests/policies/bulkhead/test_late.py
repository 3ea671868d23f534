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
