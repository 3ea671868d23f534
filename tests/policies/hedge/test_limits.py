"""What keeps further attempts from being made: budgets, deadlines, losers, policies further in."""

import threading
import time

import pytest
import seawall


def test_the_budget_is_asked_before_each(way, clock, service, counts, told):
    """Exhausted, the call has no further attempt, and goes on with those it has."""
    budget = seawall.RetryBudget(ratio=0.0, min_per_second=0.1, ttl=10)
    hedge = seawall.Hedge("h", delay=0.1, budget=budget)
    slow = service(1, 0.05, 1, 1)
    hedged = hedge(way.of(slow))
    assert way.call(hedged) == 1
    assert way.call(hedged) == 2
    seen = counts(hedge)
    assert (seen["hedges"], seen["refused_budget"]) == (1, 1)
    assert [event.why for event in told if event.kind == "hedge.refused"] == ["budget"]
    assert budget.snapshot().counts["calls"] == 2


def test_a_refusal_after_a_failure_ends_the_call(way, clock, service, counts):
    """Nobody runs, and nobody may: the failure is the call's."""
    budget = seawall.RetryBudget(ratio=0.0, min_per_second=0, ttl=10)
    hedge = seawall.Hedge("h", delay=0.1, budget=budget)
    calls = service((0.01, OSError("down")))
    with pytest.raises(OSError, match="down"):
        way.call(hedge(way.of(calls)))
    assert (calls.begun, clock.elapsed) == (1, 0.01)
    assert counts(hedge) == {"failed": 1, "refused_budget": 1}


def test_a_budget_by_its_name(clock, service):
    """It is looked up at the first call, and that says if there is none."""
    hedged = seawall.Hedge("h", delay=0.1, budget="later")(service(0).answer)
    with pytest.raises(seawall.ConfigError, match="names no retry budget"):
        hedged()
    budget = seawall.RetryBudget("later")
    hedged()
    assert budget.snapshot().counts["calls"] == 1


def test_a_budget_counts_attempts_until_they_end(clock, service):
    """One that has lost and still runs takes its place, in a budget of those in flight."""
    budget = seawall.RetryBudget(mode="concurrency", ratio=0.0, min_concurrent=1)
    calls = service(10, 0.01)
    hedged = seawall.Hedge("h", delay=0.1, budget=budget)(calls.answer)
    hedged()
    assert budget.snapshot().retries_in_flight == 0
    calls.begun, calls.script = 0, [(0.3, None), (10, None)]
    hedged()
    assert budget.snapshot().retries_in_flight == 1
    seawall.waiting.sleep(20)
    assert budget.snapshot().retries_in_flight == 0


def test_retries_and_hedges_share_one(way, clock, service):
    """What one took the other has not."""
    budget = seawall.RetryBudget(ratio=0.0, min_per_second=0.1, ttl=10)
    retry = seawall.Retry("r", attempts=2, on=OSError, backoff=0, budget=budget)
    hedge = seawall.Hedge("h", delay=0.1, budget=budget)
    calls = service((0.01, OSError("down")))
    with pytest.raises(OSError, match="down"):
        way.call(retry(hedge(way.of(calls))))
    assert calls.begun == 2
    # The call is one, though both take part in it.
    assert dict(budget.snapshot().counts) == {"calls": 1, "retries": 1, "refused": 1}


def test_no_attempt_starts_after_the_deadline(way, clock, service, counts):
    """When it is due there must be time left."""
    calls = service((1.0, OSError("down")))
    hedge = seawall.Hedge("h", delay=5)
    if way.threads:
        # In a thread the waiting ends with the deadline.
        with pytest.raises(TimeoutError), seawall.deadline(0.5):
            hedge(calls.answer)()
        assert counts(hedge)["cancelled"] == 1
    else:

        async def main():
            async with seawall.deadline(0.5):
                await hedge(calls.aanswer)()

        with pytest.raises(TimeoutError):
            way.call(main)
    assert (calls.begun, clock.elapsed) == (1, 0.5)


def test_a_failure_at_the_deadline_starts_none(clock, service, counts):
    """The attempt failed because there is no time left."""
    calls = service((1.0, OSError("down")))
    hedge = seawall.Hedge("h", delay=5)

    @hedge
    def work():
        calls.begun += 1
        clock.advance(1)
        raise OSError("down")

    with pytest.raises(OSError, match="down"), seawall.deadline(1):
        work()
    assert calls.begun == 1
    assert counts(hedge) == {"failed": 1, "refused_deadline": 1}


def test_without_time_nothing_is_begun(way, clock, service, counts):
    """A call whose deadline has passed makes no attempt."""
    calls, hedge = service(0.1), seawall.Hedge("h", delay=5)
    hedged = hedge(way.of(calls))

    def begin():
        with seawall.deadline(1):
            clock.advance(2)
            return hedged()

    async def main():
        with seawall.deadline(1):
            clock.advance(2)
            return await hedged()

    with pytest.raises(seawall.DeadlineExceededError):
        begin() if way.threads else way.call(main)
    assert calls.begun == 0
    assert counts(hedge) == {"rejected": 1}


def test_a_timeout_around_bounds_all_attempts(way, clock, service):
    """Its limit is that of the call, in threads as well."""
    calls = service(10)
    guard = seawall.Pipeline("p", seawall.Timeout(0.5, name="t"), seawall.Hedge("h", delay=0.1))
    with pytest.raises(seawall.CallTimeoutError):
        way.call(guard(way.of(calls)))
    assert (calls.begun, clock.elapsed) == (2, 0.5)


def test_a_timeout_inside_bounds_each_attempt(way, clock, service):
    """One that takes too long has failed, and starts the next."""
    calls = service(10, 0.05)
    limit = seawall.Timeout(0.5, pool="threads" if way.threads else None)
    guard = seawall.Pipeline("p", seawall.Hedge("h", delay=5), limit)
    assert way.call(guard(way.of(calls))) == 1
    assert clock.elapsed == 0.55


def test_a_rejection_starts_no_other(way, clock, service, counts):
    """The next attempt would ask the same policy at once."""
    breaker, hedge = seawall.CircuitBreaker("b"), seawall.Hedge("h", delay=0.1, max_hedges=3)
    breaker.force_open()
    calls = service(1)
    with pytest.raises(seawall.CircuitOpenError):
        way.call(hedge(breaker(way.of(calls))))
    assert (calls.begun, clock.elapsed) == (0, 0.0)
    assert counts(hedge) == {"rejected": 1}


def test_a_rejected_attempt_leaves_the_others(way, clock, service, counts):
    """A full bulkhead lets no second attempt in: the first is waited for, and there is no third."""
    bulkhead = seawall.Bulkhead("b", max_concurrent=1)
    hedge = seawall.Hedge("h", delay=0.1, max_hedges=3)
    calls = service(1)
    assert way.call(hedge(bulkhead(way.of(calls)))) == 0
    assert (calls.begun, clock.elapsed) == (1, 1.0)
    assert counts(hedge) == {"first": 1, "hedges": 1}


def test_a_rejection_that_is_listed_is_a_failure(way, clock, service):
    """Whose class is in `on`."""
    calls = service((0.01, seawall.RateLimitedError("far away", 1.0)), 0.01)
    hedge = seawall.Hedge("h", delay=5, on=seawall.RateLimitedError)
    assert way.call(hedge(way.of(calls))) == 1


def test_a_failure_says_more_than_a_rejection(way, clock, service):
    """When there is no answer, the caller gets the error of the attempt that was let in."""
    bulkhead = seawall.Bulkhead("b", max_concurrent=1)
    hedge = seawall.Hedge("h", delay=0.1)
    calls = service((1, OSError("down")))
    with pytest.raises(OSError, match="down"):
        way.call(hedge(bulkhead(way.of(calls))))


def test_each_attempt_has_a_permit_of_its_own(way, clock, service):
    """Policies inside of the hedge see attempts, those outside see calls."""
    inner, outer = seawall.Bulkhead("in", max_concurrent=9), seawall.Bulkhead("out")
    with pytest.warns(seawall.CompositionWarning, match="those that have lost"):
        guard = seawall.Pipeline("p", outer, seawall.Hedge("h", delay=0.1), inner)
    assert way.call(guard(way.of(service(10, 0.01)))) == 1
    assert (inner.snapshot().counts["entered"], outer.snapshot().counts["entered"]) == (2, 1)
    assert inner.snapshot().in_flight == (1 if way.threads else 0)


def test_losers_that_never_end_are_capped(clock, service, counts):
    """So many, and no attempt is started besides the first; when they end it is again."""
    hedge = seawall.Hedge("h", delay=0.1, max_losers=2)
    calls = service(100, 0.01, 100, 0.01, 1)
    hedged = hedge(calls.answer)
    assert [hedged() for _ in range(3)] == [1, 3, 4]
    seen = counts(hedge)
    assert (seen["losers"], seen["refused_losers"]) == (2, 1)
    assert hedge.snapshot().abandoned == 2
    clock.sleep(200)
    for _ in range(1000):
        if not counts(hedge).get("losers"):
            break
        time.sleep(0.001)
    seen = counts(hedge)
    assert ("losers" not in seen, seen["lost_succeeded"]) == (True, 2)
    assert hedge.snapshot().abandoned == 0


def test_threads_are_capped(clock, service, counts):
    """Without a thread a further attempt is refused as by any policy further in; so is a first."""
    hedge = seawall.Hedge("h", delay=0.1, max_threads=1)
    calls = service(1, 100)
    hedged = hedge(calls.answer)
    assert hedged() == 0
    assert counts(hedge) == {"first": 1, "hedges": 1}
    with pytest.raises(seawall.DeadlineExceededError), seawall.deadline(1):
        hedged()
    with pytest.raises(seawall.ThreadsExhaustedError, match="hedge 'h'") as caught:
        hedged()
    assert (caught.value.policy, caught.value.abandoned) == ("hedge", 1)
    assert calls.begun == 2
    assert counts(hedge)["rejected"] == 1


def test_a_thread_that_can_not_be_started_costs_only_its_attempt(service, counts, monkeypatch):
    """The system has no more of them: a first attempt that runs goes on, and may well answer."""
    hedge = seawall.Hedge("h", delay=0.1)
    calls = service(0, 1)
    hedged = hedge(calls.answer)
    assert hedged() == 0  # its thread is there for the next call

    def start(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert hedged() == 1
    monkeypatch.undo()
    assert counts(hedge) == {"first": 2, "hedges": 1}


def test_no_thread_at_all_says_why(service, counts, monkeypatch):
    """A first attempt is refused, and leads to what the system said."""

    def start(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    hedge = seawall.Hedge("h", delay=0.1)
    calls = service(1)
    with pytest.raises(seawall.ThreadsExhaustedError, match="hedge 'h'") as caught:
        hedge(calls.answer)()
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert calls.begun == 0
    assert (counts(hedge)["rejected"], hedge.snapshot().threads) == (1, 0)
