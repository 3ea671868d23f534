"""Nothing starts without time left, and nobody sleeps past a limit."""

import asyncio

import pytest
import seawall

from tests.policies.retry.service import counts


def test_no_first_attempt_after_the_deadline(kind, script):
    """A call whose deadline has passed is not made at all, and says which deadline it was."""
    body = script(1)
    retry = seawall.Retry()
    with seawall.deadline(0, name="request"):
        with pytest.raises(seawall.DeadlineExceededError) as raised:
            kind.run(retry(kind.function(body)))
        outcome = kind.run(retry.try_call, kind.function(body))
    assert (raised.value.name, body.calls) == ("request", 0)
    assert isinstance(outcome.error, seawall.DeadlineExceededError)
    assert (outcome.ok, outcome.rejected, outcome.attempts) == (False, None, 0)
    assert counts(retry) == {"rejected": 2}


def test_no_call_under_a_timeout_after_the_deadline(kind, script):
    """Nor is one that has a limit of its own: the earlier one has passed."""
    body = script(1)
    timeout = seawall.Timeout(5)
    with seawall.deadline(0), pytest.raises(seawall.DeadlineExceededError):
        kind.run(timeout(kind.function(body)))
    assert body.calls == 0
    assert timeout.snapshot().in_flight == 0
    assert timeout.snapshot().counts["other"] == 1


@pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")
@pytest.mark.parametrize("on", [Exception, TimeoutError, lambda error: True])
def test_a_call_that_was_not_begun_says_nothing(kind, script, on):
    """A breaker around, or inside, does not hold it against the service."""
    body = script(1)
    outer = seawall.CircuitBreaker(failure_threshold=1, on=on)
    inner = seawall.CircuitBreaker(failure_threshold=1, on=on)
    guard = seawall.Pipeline("it", outer, seawall.Retry(), inner, seawall.Timeout(5))
    with seawall.deadline(0), pytest.raises(seawall.DeadlineExceededError):
        kind.run(guard(kind.function(body)))
    assert (outer.state, inner.state, body.calls) == ("closed", "closed", 0)
    assert [it.snapshot().in_flight for it in guard.policies] == [0, 0, 0, 0]


def test_no_first_attempt_of_a_loop():
    """Nor does a loop give one."""
    retry = seawall.Retry()

    async def later():
        async for _ in retry:
            pytest.fail("an attempt")

    with seawall.deadline(0):
        with pytest.raises(seawall.DeadlineExceededError):
            next(iter(retry))
        with pytest.raises(seawall.DeadlineExceededError):
            asyncio.run(later())
    assert retry.snapshot().in_flight == 0


@pytest.mark.parametrize("limit", ["max_duration", "deadline"])
@pytest.mark.parametrize("attempts", [2, 5])
def test_what_a_hook_takes_counts(kind, script, clock, told, limit, attempts):
    """A hook that takes its time leaves less to sleep: what is too late by then is not waited for.

    The permit of the attempt that is not made goes back to the budget.
    """
    hook = [0] * (attempts - 2) + [5]
    budget = seawall.RetryBudget(mode="concurrency")
    body = script(ConnectionError)
    retry = seawall.Retry(
        attempts=9,
        backoff=4,
        budget=budget,
        max_duration=6 + 4 * (len(hook) - 1) if limit == "max_duration" else None,
        before_sleep=lambda event: clock.advance(hook.pop(0)),
    )
    whole = 6 + 4 * (len(hook) - 1) if limit == "deadline" else 60
    calls = len(hook)
    with seawall.deadline(whole), pytest.raises(ConnectionError):
        kind.run(retry(kind.function(body)))
    assert body.calls == calls
    assert clock.elapsed == 4 * (calls - 1) + 5
    assert told.kinds[-1] == "retry.gave_up"
    seen = budget.snapshot()
    assert (seen.in_flight, seen.retries_in_flight) == (0, 0)


def written_out(retry, body):
    """Calls it in a loop of attempts."""
    for attempt in retry:
        with attempt:
            body()


def test_a_loop_whose_hook_takes_time(script, clock):
    """Written out it is the same."""
    body = script(ConnectionError)
    retry = seawall.Retry(backoff=4, max_duration=6, before_sleep=lambda event: clock.advance(5))
    with pytest.raises(ConnectionError):
        written_out(retry, body)
    assert (body.times, clock.elapsed) == ([0], 5)


def test_a_loop_that_is_interrupted_while_it_waits(script, clock, monkeypatch):
    """An attempt that never began is not counted as one."""

    def interrupted(self, seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(clock), "sleep", interrupted)
    retry = seawall.Retry(backoff=4)
    with pytest.raises(KeyboardInterrupt):
        written_out(retry, script(ConnectionError))
    assert counts(retry) == {"passed": 1}
