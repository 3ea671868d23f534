"""Timeouts with retries and breakers, around them and inside."""

import anyio
import pytest
import seawall

from tests.policies.retry.service import KINDS

pytestmark = pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    """Plain functions, then coroutine functions under each loop."""
    return request.param


@pytest.fixture(autouse=True)
def virtual(clock):
    """Waits take no time."""
    return clock


def times_out_first(times, clock, forever, kind):
    """A function that waits in vain so many times, and then returns."""
    calls = []

    async def later():
        calls.append(clock.elapsed)
        if len(calls) <= times:
            await forever()
        return "done"

    def plain():
        calls.append(clock.elapsed)
        if len(calls) <= times:
            clock.sleep(60)
            seawall.deadline.check()
        return "done"

    return (later if kind.awaits else plain), calls


def test_a_limit_for_each_attempt(kind, clock, forever, counts):
    """With the retry outside each attempt has the whole of it."""
    timeout, retry = seawall.Timeout(3), seawall.Retry(attempts=3, backoff=1)
    function, calls = times_out_first(2, clock, forever, kind)
    assert kind.run(retry(timeout(function))) == "done"
    assert len(calls) == 3
    assert counts(timeout) == {"timed_out": 2, "in_time": 1}
    assert counts(retry) == {"recovered": 1, "retries": 2}
    if kind.awaits:
        assert calls == pytest.approx([0, 4, 8], abs=0.1)


def test_a_limit_for_all_attempts(kind, clock, forever, counts):
    """With the retry inside it bounds the attempts and the waits together."""
    timeout, retry = seawall.Timeout(10, name="total"), seawall.Retry(attempts=99, backoff=1)
    each = seawall.Timeout(3, name="each")
    function, calls = times_out_first(99, clock, forever, kind)
    with pytest.raises(seawall.CallTimeoutError) as caught:
        kind.run(timeout(retry(each(function))))
    if kind.awaits:
        assert caught.value.name == "total"
        assert calls == pytest.approx([0, 4, 8], abs=0.1)
        assert 10 <= clock.elapsed < 10.1
        assert counts(each) == {"timed_out": 2, "other": 1}
        assert counts(timeout) == {"timed_out": 1}
    assert counts(retry).keys().isdisjoint({"in_flight"})


def test_no_wait_beyond_it(kind, clock, told):
    """A retry that can't start its next attempt in time gives up before it sleeps, and says so."""
    timeout = seawall.Timeout(5)
    retry = seawall.Retry(attempts=9, backoff=2)

    def fails():
        raise ConnectionError("down")

    with pytest.raises(ConnectionError) as caught:
        kind.run(timeout(retry(kind.function(fails))))
    assert clock.elapsed == pytest.approx(4)
    (end,) = [event for event in told if event.kind == "retry.gave_up"]
    assert (end.why, end.attempts) == ("deadline", 3)
    assert "before the deadline" in caught.value.__notes__[0]
    assert timeout.snapshot().counts["other"] == 1


@pytest.mark.parametrize("inner", [True, False])
def test_a_first_attempt_that_is_refused(kind, clock, told, inner):
    """The time around holds for the waits of a call that a breaker refuses from the start."""
    timeout = seawall.Timeout(5)
    breaker = seawall.CircuitBreaker()
    breaker.force_open()
    retry = seawall.Retry(attempts=9, backoff=2, on=seawall.CircuitOpenError)
    layers = [timeout, retry, *([seawall.Timeout(1)] if inner else []), breaker]
    work = seawall.Pipeline("all", *layers)(kind.function(int))
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(work)
    assert clock.elapsed == pytest.approx(4)
    (end,) = [event for event in told if event.kind == "retry.gave_up"]
    assert end.why == "deadline"
    assert timeout.snapshot().in_flight == 0
    assert seawall.remaining() is None


def test_cancelled_in_a_wait(loop_run, clock, counts, monkeypatch):
    """Time that is over while the retry waits, as only a sleep too long can, ends the wait."""
    asleep = type(clock).asleep
    monkeypatch.setattr(type(clock), "asleep", lambda self, seconds: asleep(self, 2 * seconds))
    timeout = seawall.Timeout(5)
    retry = seawall.Retry(attempts=9, backoff=4)

    async def fails():
        raise ConnectionError("down")

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await timeout(retry(fails))()

    loop_run(main)
    assert counts(timeout) == {"timed_out": 1}
    assert "in_flight" not in counts(retry)


@pytest.mark.parametrize("keyed", [True, False])
def test_a_breaker_inside(run, clock, forever, keyed):
    """A call that the timeout around cancels counts as a failure of the service."""
    breaker = seawall.CircuitBreaker(
        failure_threshold=2, open_duration=10, **({"key": lambda: "one"} if keyed else {})
    )
    timeout = seawall.Timeout(3)
    work = timeout(breaker(forever))

    async def main():
        for _ in range(2):
            with pytest.raises(seawall.CallTimeoutError):
                await work()
        with pytest.raises(seawall.CircuitOpenError):
            await work()

    run(main)
    seen = breaker.snapshot(key="one") if keyed else breaker.snapshot()
    assert (seen.state, seen.counts["failure"], seen.in_flight) == ("open", 2, 0)


def test_a_call_cancelled_in_time_is_neutral(run, clock, forever):
    """Somebody else's cancellation, before the limit, says nothing of the service."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    work = seawall.Timeout(60)(breaker(forever))

    async def main():
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(work)
                await clock.asleep(1)
                scope.cancel()

    run(main)
    seen = breaker.snapshot()
    assert (seen.state, seen.counts["cancelled"]) == ("closed", 1)


def test_a_probe_inside(run, clock, forever):
    """A probe that is out of time re-opens the circuit, and its place comes back."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, open_duration=10, half_open_calls=1)
    timeout = seawall.Timeout(3)
    work = timeout(breaker(forever))

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await work()
        await clock.asleep(11)
        with pytest.raises(seawall.CallTimeoutError):
            await work()
        assert breaker.snapshot().state == "open"
        await clock.asleep(11)
        assert await timeout(breaker(answer))() == "up"

    async def answer():
        return "up"

    run(main)
    seen = breaker.snapshot()
    assert (seen.state, seen.in_flight) == ("closed", 0)
    assert seen.counts["failure"] == 2


def test_a_breaker_outside(run, clock, forever):
    """It counts the timeout's error as a failure."""
    breaker = seawall.CircuitBreaker(failure_threshold=2)
    work = breaker(seawall.Timeout(3)(forever))

    async def main():
        for _ in range(2):
            with pytest.raises(seawall.CallTimeoutError):
                await work()

    run(main)
    assert (breaker.snapshot().state, breaker.snapshot().counts["failure"]) == ("open", 2)


def test_a_refusal_inside(kind, counts):
    """A call that a breaker inside refuses was not timed out."""
    timeout, breaker = seawall.Timeout(3), seawall.CircuitBreaker()
    breaker.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(timeout(breaker(kind.function(int))))
    assert counts(timeout) == {"other": 1}
    assert seawall.remaining() is None


def test_of_threads_with_a_breaker_inside(clock):
    """A call that was given up is a failure of the service as well."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    timeout = seawall.Timeout(3, pool="threads")
    with pytest.raises(seawall.CallTimeoutError):
        timeout(breaker(clock.sleep))(60)
    assert (breaker.snapshot().state, breaker.snapshot().counts["failure"]) == ("open", 1)


def test_who_awaits_later_is_inside_of_none_of_them():
    """A plain function's awaitable, and a coroutine that is stepped by hand, leave no deadline."""

    class Pause:
        def __await__(self):
            yield

    async def work():
        await Pause()
        return seawall.remaining()

    stack = seawall.Pipeline("stack", seawall.Timeout(60), seawall.Retry(), seawall.Timeout(30))
    for function in (work, lambda: work()):
        call = stack(function)()
        assert seawall.remaining() is None
        call.send(None)
        assert seawall.remaining() is None
        with pytest.raises(StopIteration) as stopped:
            call.send(None)
        assert stopped.value.value == 30
        assert seawall.remaining() is None


def test_one_that_is_over_holds_no_more():
    """Between two attempts only the timeout around them holds; after the call, what held before."""
    left = []
    each = seawall.Timeout(3, name="each")
    retry = seawall.Retry(
        attempts=2, backoff=1, before_sleep=lambda _: left.append(seawall.remaining())
    )

    def work():
        left.append(seawall.remaining())
        raise ConnectionError

    work = seawall.Pipeline("stack", seawall.Timeout(10, name="total"), retry, each)(work)
    with seawall.deadline(100):
        for _ in range(2):
            with pytest.raises(ConnectionError):
                work()
            assert seawall.remaining() == pytest.approx(100 - len(left) // 3)
    assert seawall.remaining() is None
    assert left == pytest.approx([3, 10, 3] * 2)
