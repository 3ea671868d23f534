"""Whoever sleeps longer than asked for: no attempt begins too late, and no error is lost."""

import asyncio
import gc
import weakref

import pytest
import seawall
import trio

from tests.policies.retry.service import counts


@pytest.fixture(autouse=True)
def oversleep(clock, monkeypatch):
    """Every sleep takes three times as long."""
    asleep, sleep = type(clock).asleep, type(clock).sleep
    monkeypatch.setattr(type(clock), "asleep", lambda self, seconds: asleep(self, 3 * seconds))
    monkeypatch.setattr(type(clock), "sleep", lambda self, seconds: sleep(self, 3 * seconds))


LIMITS = {
    "duration": ({"max_duration": 2}, 60),
    "deadline": ({}, 2),
}


@pytest.fixture(params=LIMITS)
def limit(request):
    """Why there is no time, the settings that say so, and the deadline around."""
    return (request.param, *LIMITS[request.param])


def test_the_last_error_is_not_lost(kind, script, limit, told):
    """It is the caller's, with a note that tells how many attempts ran and why no other did."""
    why, settings, whole = limit
    body = script(ConnectionError)
    budget = seawall.RetryBudget(mode="concurrency")
    retry = seawall.Retry("it", attempts=9, backoff=1, budget=budget, **settings)
    with seawall.deadline(whole), pytest.raises(ConnectionError) as raised:
        kind.run(retry(kind.function(body)))
    assert (raised.value, body.times) == (body.raised[0], [0])
    (note,) = raised.value.__notes__
    assert note.startswith("seawall: retry 'it' gave up after 1 attempt in 3.000 s: ")
    assert counts(retry) == {f"gave_up_{why}": 1}
    assert told.kinds == ["retry.scheduled", "retry.gave_up"]
    assert (told[-1].why, told[-1].attempts, told[-1].error) == (why, 1, raised.value)
    seen = budget.snapshot()
    assert (seen.in_flight, seen.retries_in_flight) == (0, 0)


def test_it_is_wrapped_where_that_was_asked_for(kind, script, limit):
    """`reraise=False` raises its own from it."""
    why, settings, whole = limit
    retry = seawall.Retry(attempts=9, backoff=1, reraise=False, **settings)
    with seawall.deadline(whole), pytest.raises(seawall.RetriesExhaustedError) as raised:
        kind.run(retry(kind.function(script(ConnectionError))))
    assert isinstance(raised.value.__cause__, ConnectionError)
    assert (raised.value.attempts, raised.value.why) == (1, why)


def test_the_last_result_is_not_lost(kind, script, limit):
    """What `on_result` wanted to see again is returned, as after the last attempt."""
    _, settings, whole = limit
    retry = seawall.Retry(attempts=9, backoff=1, on_result=lambda value: value < 9, **settings)
    body = script(1)
    with seawall.deadline(whole):
        outcome = kind.run(retry.try_call, kind.function(body))
    assert (outcome.value, outcome.attempts, body.times) == (1, 1, [0])


def test_a_rejection_is_not_lost(kind, script, limit):
    """Nor is what a policy further in said: it is told as a rejection."""
    why, settings, whole = limit
    breaker = seawall.CircuitBreaker(failure_threshold=1, open_duration=1)
    breaker.force_open()
    retry = seawall.Retry(attempts=9, backoff=1, on=seawall.CircuitOpenError, **settings)
    with seawall.deadline(whole):
        guard = seawall.Pipeline("it", retry, breaker)
        outcome = kind.run(guard.try_call, kind.function(script(1)))
    assert isinstance(outcome.rejected, seawall.CircuitOpenError)
    assert outcome.attempts == 0
    assert counts(retry) == {f"gave_up_{why}": 1}


@pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")
def test_a_retry_around_goes_on(kind, script):
    """One that has time makes the call again: its inner retry gave up, no more."""
    body = script(ConnectionError, 1)
    inner = seawall.Retry(attempts=9, backoff=1, max_duration=2, nested="independent")
    outer = seawall.Retry(attempts=9, backoff=1, max_duration=60)
    assert kind.run(outer(inner(kind.function(body)))) == 1
    assert body.times == [0, 6]
    assert counts(outer) == {"recovered": 1, "retries": 1}
    assert counts(inner) == {"gave_up_duration": 1, "success": 1}


@pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")
def test_a_breaker_around_is_told_of_the_whole_call(kind, script):
    """How long it took, the wait included, and how it ended."""
    breaker = seawall.CircuitBreaker(
        slow_call_rate=1, slow_call_duration=4, min_calls=2, failure_rate=1
    )
    retry = seawall.Retry(attempts=9, backoff=1, max_duration=2)
    guard = seawall.Pipeline("it", breaker, retry)
    with pytest.raises(ConnectionError):
        kind.run(guard(kind.function(script(ConnectionError))))
    assert (breaker.snapshot().counts["failure"], breaker.snapshot().slow_call_rate) == (1, 0)


def test_a_timeout_around_of_a_plain_call(script):
    """It can interrupt nobody: the last error is what the caller gets."""
    retry = seawall.Retry("it", attempts=9, backoff=1)
    body = script(ConnectionError)
    with pytest.raises(ConnectionError) as raised:
        seawall.Pipeline("p", seawall.Timeout(2), retry)(body)()
    assert (body.times, counts(retry)) == ([0], {"gave_up_deadline": 1})
    assert "before the deadline" in raised.value.__notes__[0]


def test_generators(script, limit):
    """A generator that has given nothing yet raises the last error where it is asked for more."""
    why, settings, whole = limit
    body = script(ConnectionError)
    retry = seawall.Retry(attempts=9, backoff=1, **settings)

    @retry
    def items():
        body()
        yield 1

    @retry
    async def later():
        body()
        yield 1

    async def first():
        return [item async for item in later()]

    with seawall.deadline(whole), pytest.raises(ConnectionError) as plain:
        next(items())
    with seawall.deadline(whole), pytest.raises(ConnectionError) as stepped:
        asyncio.run(first())
    with seawall.deadline(whole), pytest.raises(ConnectionError) as by_trio:
        trio.run(first)
    assert [it.value for it in (plain, stepped, by_trio)] == body.raised
    assert counts(retry) == {f"gave_up_{why}": 3}


def plainly(retry, body):
    """A loop of attempts."""
    for attempt in retry:
        with attempt:
            attempt.returned(body())


def by(run):
    """A loop of attempts, of a task."""

    def loop(retry, body):
        async def main():
            async for attempt in retry:
                with attempt:
                    attempt.returned(body())

        return run(main)

    return loop


@pytest.fixture(params=[plainly, by(lambda main: asyncio.run(main())), by(trio.run)])
def loop(request):
    """Each kind of loop."""
    return request.param


def test_a_loop_raises_the_last_error(loop, script, limit):
    """Written out it is raised where the next attempt was asked for."""
    why, settings, whole = limit
    body = script(ConnectionError)
    retry = seawall.Retry("it", attempts=9, backoff=1, **settings)
    with seawall.deadline(whole), pytest.raises(ConnectionError) as raised:
        loop(retry, body)
    assert (raised.value, body.times) == (body.raised[0], [0])
    assert "after 1 attempt in 3.000 s" in raised.value.__notes__[0]
    assert counts(retry) == {f"gave_up_{why}": 1}


def test_a_loop_ends_with_the_last_result(loop, script, limit):
    """It goes no further than it would after the last attempt."""
    _, settings, whole = limit
    body = script(1)
    with seawall.deadline(whole):
        loop(seawall.Retry(attempts=9, backoff=1, on_result=lambda value: True, **settings), body)
    assert body.times == [0]


def test_a_loop_that_is_over_gives_nothing(script):
    """Who asks again, after the last error, is told that there is no more."""
    attempts = iter(seawall.Retry(attempts=9, backoff=1, max_duration=2))
    with next(attempts):
        script(ConnectionError)()
    with pytest.raises(ConnectionError):
        next(attempts)
    assert next(attempts, None) is None


class Kept(ConnectionError):
    """An error that can be watched."""


@pytest.mark.parametrize("way", ["left", "between"])
def test_a_loop_that_is_left_after_a_failure_is_over_at_once(way):
    """The kept error, which knows the frame, keeps nothing alive: no collector is needed."""
    retry = seawall.Retry(attempts=9, backoff=1)
    seen = []

    def leaves():
        for attempt in retry:
            with attempt:
                error = Kept("down")
                seen.append(weakref.ref(error))
                raise error
            if way == "left":
                break
            raise KeyError

    gc.collect()
    gc.disable()
    try:
        if way == "left":
            leaves()
        else:
            with pytest.raises(KeyError):
                leaves()
        assert retry.snapshot().in_flight == 0
    finally:
        gc.enable()
    gc.collect()
    assert seen[0]() is None


def test_what_is_kept_is_let_go_of_when_the_next_attempt_begins(kind, clock):
    """One error at a time, and none while an attempt runs."""
    seen = []

    def body():
        gc.collect()
        assert all(it() is None for it in seen)
        error = Kept("down")
        seen.append(weakref.ref(error))
        raise error

    with pytest.raises(Kept):
        kind.run(seawall.Retry(attempts=4, backoff=1)(kind.function(body)))
    assert len(seen) == 4


def abandoned(form, retry):
    """Begins a call, lets it wait, and forgets it. Its error, which knows who waits."""
    error = Kept("down")

    async def fails():
        raise error

    async def gives():
        raise error
        yield

    async def waits():
        if form == "call":
            await retry(fails)()
        elif form == "generator":
            async for _ in retry(gives)():
                pass
        else:
            async for attempt in retry:
                with attempt:
                    raise error

    async def main():
        waiting.send(None)

    error.waiting = waiting = waits()
    asyncio.run(main())
    return weakref.ref(error)


@pytest.mark.parametrize("form", ["call", "generator", "loop"])
def test_a_wait_that_nobody_ends_can_be_collected(form):
    """The kept error leads to the frame that waits: the collector sees through that."""
    retry = seawall.Retry(attempts=9, backoff=1)
    error = abandoned(form, retry)
    gc.collect()
    assert error() is None
    assert retry.snapshot().in_flight == 0
