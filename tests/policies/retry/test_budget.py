"""What calls tell their budget, however they end; and what it tells them."""

import asyncio
import gc

import pytest
import seawall

from tests.policies.retry.service import counts


def state(budget):
    """Calls and retries in flight, and what was counted."""
    seen = budget.snapshot()
    assert (seen.in_flight, seen.retries_in_flight) == (0, 0)
    return dict(seen.counts)


def test_it_is_asked_before_the_wait(kind, script, clock, told):
    """A refusal ends the call at once, with the last error, and is a reason of its own."""
    budget = seawall.RetryBudget("shop", ratio=0, min_per_second=0.1, ttl=10)
    retry = seawall.Retry(attempts=9, backoff=2, budget=budget)
    body = script(ConnectionError)
    with pytest.raises(ConnectionError) as raised:
        kind.run(retry(kind.function(body)))
    assert raised.value is body.raised[-1]
    assert "its retry budget is exhausted" in raised.value.__notes__[0]
    assert (body.times, clock.elapsed) == ([0, 2], 2)
    assert counts(retry) == {"gave_up_budget": 1, "retries": 1}
    assert state(budget) == {"calls": 1, "retries": 1, "refused": 1}
    (end,) = [event for event in told if event.kind == "retry.gave_up"]
    assert (end.why, end.attempts) == ("budget", 2)


def test_the_last_attempt_asks_for_none(kind, script):
    """Nor does an error that is not tried again, or a call without time: nobody else goes short."""
    budget = seawall.RetryBudget(ratio=0, min_per_second=100, ttl=10)
    for settings, line in (
        ({"attempts": 1}, ConnectionError),
        ({}, KeyError),
        ({"backoff": 9, "max_duration": 5}, ConnectionError),
    ):
        with pytest.raises(line):
            kind.run(seawall.Retry(budget=budget, **settings)(kind.function(script(line))))
    assert state(budget) == {"calls": 3, "retries": 0, "refused": 0}


def test_tokens(kind, script):
    """A failure that is worth a retry costs one, a success gives back; nothing else counts."""
    budget = seawall.RetryBudget(mode="tokens", ratio=0.5, max_tokens=10)
    retry = seawall.Retry(attempts=3, backoff=0, budget=budget)
    balances = []
    for lines in ([ConnectionError], [KeyError], [asyncio.CancelledError], [ConnectionError, 1]):
        outcome = script(*lines)
        try:
            kind.run(retry(kind.function(outcome)))
        except (ConnectionError, KeyError, asyncio.CancelledError):
            """As it was told to."""
        balances.append(budget.snapshot().balance)
    assert balances == [7, 7, 7, 6.5]
    assert state(budget)["calls"] == 4


@pytest.mark.parametrize("when", ["working", "waiting", "working again"])
@pytest.mark.parametrize("mode", ["ratio", "concurrency", "tokens"])
def test_a_cancelled_call_gives_back_and_earns_nothing(mode, when, clock):
    """Circuitbreaker's bug, of a budget: a call that somebody cancels was no success."""
    budget = seawall.RetryBudget(mode=mode, **({"max_tokens": 10} if mode == "tokens" else {}))
    budget._failed()
    retry = seawall.Retry(backoff=60, budget=budget)
    began = []

    @retry
    async def work():
        began.append(1)
        if when == "working" or len(began) == 2:
            await asyncio.Event().wait()
        raise ConnectionError

    async def main():
        task = asyncio.create_task(work())
        limit = 70 if when == "working again" else 30
        await clock.asleep(limit)
        seen = budget.snapshot()
        assert seen.in_flight == 1
        if mode == "concurrency":
            assert seen.retries_in_flight == (when != "working")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert state(budget)["calls"] == 1
    if mode == "tokens":
        assert budget.snapshot().balance == (9 if when == "working" else 8)


def test_a_call_that_is_thrown_away_gives_back():
    """A coroutine that is dropped in the middle of a retry is in flight no more."""
    budget = seawall.RetryBudget(mode="concurrency", min_concurrent=1, ratio=0)
    began = []

    @seawall.Retry(backoff=0, budget=budget)
    async def work():
        began.append(1)
        if len(began) == 2:
            await asyncio.sleep(0)
        raise ConnectionError

    async def main():
        call = work()
        while len(began) < 2:
            call.send(None)
        assert budget.snapshot().retries_in_flight == 1
        del call
        gc.collect()

    asyncio.run(main())
    assert state(budget) == {"calls": 1, "retries": 1, "refused": 0}


def test_named(kind, script):
    """By name it is looked for when the first call is made: who has the name then."""
    retry = seawall.Retry("r", backoff=0, budget="shop")
    work = retry(kind.function(script(ConnectionError)))
    with pytest.raises(seawall.ConfigError, match="names no retry budget"):
        kind.run(work)
    assert counts(retry) == {}
    budget = seawall.RetryBudget("shop", ratio=0, min_per_second=0)
    with pytest.raises(ConnectionError):
        kind.run(work)
    assert state(budget) == {"calls": 1, "retries": 0, "refused": 1}


def test_shared_by_retries(kind, script):
    """What the calls of one use up the others go without."""
    budget = seawall.RetryBudget(ratio=0, min_per_second=0.3, ttl=10)
    bodies = [script(ConnectionError) for _ in range(3)]
    for body in bodies:
        retry = seawall.Retry(attempts=3, backoff=0, budget=budget)
        with pytest.raises(ConnectionError):
            kind.run(retry(kind.function(body)))
    assert [body.calls for body in bodies] == [3, 2, 1]


def test_a_loop_asks_it_too(script):
    """Attempts that are written out are no free ones."""
    budget = seawall.RetryBudget(ratio=0, min_per_second=0.1, ttl=10)
    body = script(ConnectionError)

    def loops():
        for attempt in seawall.Retry(attempts=9, backoff=0, budget=budget):
            with attempt:
                body()

    with pytest.raises(ConnectionError):
        loops()
    assert body.calls == 2
    assert state(budget) == {"calls": 1, "retries": 1, "refused": 1}
