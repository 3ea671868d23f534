"""Idempotent functions with other policies inside and outside of them."""

import pytest
import seawall

from tests.hosts import HOSTS, pause


class Service:
    """Fails so often, and then answers."""

    def __init__(self, failures):
        """So often."""
        self.failures = failures
        self.ran = 0

    def __call__(self, order):
        """One call."""
        self.ran += 1
        if self.ran <= self.failures:
            raise ConnectionError("gone")
        return order


def stacked(host, outer, inner, body):
    """A call through `outer` and `inner`, by a thread or by tasks."""
    if host == "thread":
        return outer(inner(lambda order: body(order)))

    async def task(order):
        await pause()
        return body(order)

    protected = outer(inner(task))

    def call(order):
        async def main():
            return await protected(order)

        return HOSTS[host](main)

    return call


WAYS = ["thread", *HOSTS]
quick = seawall.retry(attempts=4, backoff=seawall.constant(1e-6))


@pytest.mark.parametrize("host", WAYS)
@pytest.mark.parametrize("outside", ["retry", "idempotent"])
def test_a_retry_outside_and_inside(memory, host, outside):
    """Outside, each attempt claims anew; inside, all are one run. The result is kept either way."""
    service = Service(2)
    once = seawall.idempotent(store=memory, name="stack")
    outer, inner = (quick, once) if outside == "retry" else (once, quick)
    call = stacked(host, outer, inner, service)
    assert [call(1), call(1)] == [1, 1]
    assert service.ran == 3
    (record,) = memory.list()
    assert record.state == "completed"
    assert record.attempts == (3 if outside == "retry" else 1)


@pytest.mark.parametrize("host", WAYS)
@pytest.mark.parametrize("outside", ["breaker", "idempotent"])
def test_a_breaker_outside_and_inside(memory, host, outside):
    """A circuit that opens inside releases the key, also at most once; outside nothing is asked."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, min_calls=1)
    service = Service(1)
    once = seawall.idempotent(
        store=memory, name="stack", at_most_once=True, safe_errors=ConnectionError
    )
    outer, inner = (breaker, once) if outside == "breaker" else (once, breaker)
    call = stacked(host, outer, inner, service)
    with pytest.raises(ConnectionError):
        call(1)
    with pytest.raises(seawall.CircuitOpenError):
        call(1)
    (record,) = memory.list()
    assert record.state == "released"
    breaker.reset()
    assert call(1) == 1
    assert service.ran == 2


@pytest.mark.parametrize("host", WAYS)
def test_a_fallback_outside_answers_for_who_is_refused(memory, host):
    """A duplicate that is rejected is a rejection like any other."""
    once = seawall.idempotent(store=memory, name="stack", on_conflict="refuse")
    fallback = seawall.fallback("in progress", on=seawall.Rejected)
    results = []

    def body(order):
        if not results:
            results.append(None)
            results[0] = stacked("thread", fallback, once, body)(order)
        return order

    assert stacked(host, fallback, once, body)(1) == 1
    assert results == ["in progress"]


def test_a_replay_is_no_call_to_what_lies_inside(memory):
    """A result that is given again takes nothing of a limit inside of it."""
    limit = seawall.rate_limit("inside", 1, per=60)
    call = seawall.idempotent(store=memory, name="stack")(limit(lambda order: order))
    assert [call(1) for _ in range(5)] == [1] * 5
    with pytest.raises(seawall.RateLimitedError):
        call(2)


@pytest.mark.parametrize("host", list(HOSTS))
def test_a_timeout_inside_and_outside(memory, host):
    """A body that a timeout cancels releases its key, or quarantines it where it may run once."""

    async def forever(order):
        while True:
            await pause()

    for at_most_once, state in ((False, "released"), (True, "quarantined")):
        for outside in (True, False):
            name = f"{at_most_once}-{outside}"
            once = seawall.idempotent(store=memory, name=name, at_most_once=at_most_once)
            late = seawall.timeout(0.02)
            call = late(once(forever)) if outside else once(late(forever))

            async def main(call=call):
                with pytest.raises(seawall.CallTimeoutError):
                    await call(1)

            HOSTS[host](main)
            (record,) = memory.list(scope=name)
            assert record.state == state
