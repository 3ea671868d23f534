"""A breaker inside sees each attempt; one outside sees the call."""

import asyncio

import pytest
import seawall

from tests.policies.retry.service import counts

pytestmark = pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")


def tally(breaker, **key):
    """What a breaker has counted, zeroes left out; calls in flight among it."""
    seen = breaker.snapshot(**key)
    found = {what: count for what, count in seen.counts.items() if count}
    return found | ({"in_flight": seen.in_flight} if seen.in_flight else {})


def test_each_attempt_is_a_call_of_the_inner_one(kind, script):
    """It counts two failures and a success, of one call."""
    breaker, retry = seawall.CircuitBreaker(), seawall.Retry(backoff=1)
    body = script(ConnectionError, ConnectionError, 1)
    assert kind.run(retry(breaker(kind.function(body)))) == 1
    assert tally(breaker) == {"failure": 2, "success": 1}
    assert counts(retry) == {"recovered": 1, "retries": 2}


def test_the_outer_one_counts_a_call(kind, script):
    """However many attempts it takes."""
    breaker, retry = seawall.CircuitBreaker(), seawall.Retry(backoff=1)
    work = breaker(retry(kind.function(script(ConnectionError, ConnectionError, 1))))
    assert kind.run(work) == 1
    assert tally(breaker) == {"success": 1}
    with pytest.raises(ConnectionError):
        kind.run(breaker(retry(kind.function(script(ConnectionError)))))
    assert tally(breaker) == {"success": 1, "failure": 1}


def test_one_on_each_side(kind, script):
    """Each keeps to its own."""
    outer, inner = seawall.CircuitBreaker(), seawall.CircuitBreaker()
    work = outer(seawall.Retry(backoff=1)(inner(kind.function(script(ConnectionError, 1)))))
    assert kind.run(work) == 1
    assert (tally(outer), tally(inner)) == ({"success": 1}, {"failure": 1, "success": 1})


def test_the_inner_one_opens_between_two_attempts(kind, script):
    """The attempt that it rejects ends the call, with its rejection."""
    breaker = seawall.CircuitBreaker(failure_threshold=2, open_duration=60)
    retry = seawall.Retry(attempts=5, backoff=1)
    body = script(ConnectionError)
    work = retry(breaker(kind.function(body)))
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(work)
    assert body.calls == 2
    assert counts(retry) == {"passed": 1, "retries": 2}
    assert "in_flight" not in tally(breaker)


def test_an_outcome_of_a_later_rejection(kind, script):
    """It tells how often the function was run before."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    outcome = kind.run(
        seawall.Pipeline("both", seawall.Retry(backoff=1), breaker).try_call,
        kind.function(script(ConnectionError)),
    )
    assert (outcome.attempts, type(outcome.rejected)) == (1, seawall.CircuitOpenError)


def test_an_outer_one_learns_nothing_of_a_rejection(kind, script):
    """What the inner breaker rejects is neutral to the outer one, through the retry."""
    outer, inner = seawall.CircuitBreaker(), seawall.CircuitBreaker()
    inner.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(outer(seawall.Retry()(inner(kind.function(script(1))))))
    assert tally(outer) == {"ignored": 1}


def slow(script, clock, kind, *lines):
    """A function whose every attempt takes 2 s."""
    body = script(*lines)

    def work():
        clock.advance(2)
        return body()

    return kind.function(work)


@pytest.mark.parametrize("lines", [(ConnectionError, 1), (ConnectionError, ConnectionError)])
def test_the_outer_ones_time_is_the_whole(kind, script, clock, lines):
    """Two attempts of 2 s and a wait of 3 s are a call of 7 s, and two of 2 s inside."""

    def breaker(duration):
        return seawall.CircuitBreaker(slow_call_rate=1.0, slow_call_duration=duration, min_calls=50)

    for limit, is_slow in ((7, 1), (7.001, 0)):
        outer, inner, quick = breaker(limit), breaker(2), breaker(2.001)
        retry = seawall.Retry(attempts=2, backoff=3)
        work = outer(retry(inner(quick(slow(script, clock, kind, *lines)))))
        outcome = kind.run(seawall.Pipeline("it", seawall.CircuitBreaker()).try_call, work)
        assert outcome.ok == (lines[-1] == 1)
        seen = [it.snapshot().counts["slow"] for it in (outer, inner, quick)]
        assert seen == [is_slow, 2, 0]


@pytest.mark.parametrize(
    ("seconds", "end", "slow"), [(1, "cancel", 0), (20, "cancel", 1), (20, "close", 0)]
)
def test_a_call_that_is_ended_while_it_waits(seconds, end, slow):
    """Cancelled, it has taken its time since the first attempt; closed, it says nothing."""
    outer = seawall.CircuitBreaker(slow_call_rate=1.0, slow_call_duration=10)
    retry = seawall.Retry(backoff=60)

    @outer
    @retry
    async def work():
        raise ConnectionError

    async def main():
        with seawall.testing.clock() as clock:
            call = work()
            call.send(None)
            clock.advance(seconds)
            if end == "close":
                call.close()
            else:
                with pytest.raises(asyncio.CancelledError):
                    call.throw(asyncio.CancelledError())

    asyncio.run(main())
    assert tally(outer) == {"cancelled": 1} | ({"slow": 1} if slow else {})
    assert counts(retry) == {"passed": 1}


def half_open(**settings):
    """A breaker that is due, for one probe at a time."""
    breaker = seawall.CircuitBreaker(
        failure_threshold=1, open_duration=30, half_open_calls=1, **settings
    )
    breaker.try_call(lambda: 1 / 0)
    return breaker


def test_a_probe_inside_is_one_attempt(kind, script, clock):
    """It fails, the circuit opens again, and the next attempt is rejected: no place is lost."""
    breaker = half_open()
    clock.advance(30)
    retry = seawall.Retry(backoff=1)
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(retry(breaker(kind.function(script(ConnectionError, 1)))))
    assert breaker.state == "open"
    clock.advance(30)
    assert kind.run(retry(breaker(kind.function(script(5))))) == 5
    assert breaker.state == "closed"


def test_a_probe_outside_is_the_whole_call(kind, script, clock):
    """Three attempts of one probe, which then closes the circuit."""
    breaker = half_open()
    clock.advance(30)
    with pytest.raises(OSError, match="down"):
        kind.run(breaker(seawall.Retry()(kind.function(script(OSError)))))
    assert breaker.state == "open"
    clock.advance(30)
    retry = seawall.Retry(on=OSError, backoff=1)
    assert kind.run(breaker(retry(kind.function(script(OSError, OSError, 5))))) == 5
    assert breaker.state == "closed"


@pytest.mark.parametrize("end", ["close", "throw", "drop"])
def test_a_probe_that_is_dropped_while_it_waits(end):
    """It gives its place back: the next call is a probe."""
    breaker = half_open()

    @breaker
    @seawall.Retry(backoff=5)
    async def work():
        raise ConnectionError

    async def main():
        with seawall.testing.clock() as clock:
            clock.advance(31)
            call = work()
            call.send(None)
            assert breaker.snapshot().in_flight == 1
            with pytest.raises(seawall.CircuitOpenError):
                breaker.call(int)
            if end == "close":
                call.close()
            elif end == "throw":
                with pytest.raises(asyncio.CancelledError):
                    call.throw(asyncio.CancelledError())
            del call
            assert (breaker.state, breaker.snapshot().in_flight) == ("half_open", 0)
            assert breaker.call(int) == 0
            assert breaker.state == "closed"

    asyncio.run(main())


def of_a_host(kind, body):
    """A function whose argument keys can name, and which does what `body` does."""
    if kind.awaits:

        async def function(host):
            return body(host)
    else:

        def function(host):
            return body(host)

    return function


def test_keyed_breakers_inside(kind, script):
    """Each attempt goes to the circuit of its key, which may meanwhile have opened."""
    breaker = seawall.CircuitBreaker(key="host", failure_threshold=2)
    body = script(ConnectionError)

    work = seawall.Retry(attempts=4, backoff=1)(breaker(of_a_host(kind, lambda host: body(host))))
    with pytest.raises(seawall.CircuitOpenError) as rejected:
        kind.run(work, "a")
    assert rejected.value.key == "a"
    assert body.calls == 2
    body = script(ConnectionError, 1)
    assert kind.run(work, "b") == 1
    assert tally(breaker, key="a") == {"failure": 2, "rejected": 1}
    assert tally(breaker, key="b") == {"failure": 1, "success": 1}


def test_keyed_breakers_outside(kind, script):
    """One call of the key's circuit."""
    breaker = seawall.CircuitBreaker(key=lambda host: host)
    body = script(ConnectionError, 1)

    work = seawall.Retry(backoff=1)(of_a_host(kind, body))
    assert kind.run(breaker(work), "a") == 1
    assert tally(breaker, key="a") == {"success": 1}


def test_a_key_that_fails_between_two_attempts(kind, script):
    """The error of the user's key is the caller's; nothing stays in flight."""
    asked = []

    def key(host):
        asked.append(host)
        if len(asked) > 1:
            raise KeyError("no key")
        return host

    breaker, retry = seawall.CircuitBreaker(key=key), seawall.Retry(backoff=1)
    outer = seawall.CircuitBreaker()
    body = script(ConnectionError)

    work = outer(retry(breaker(of_a_host(kind, body))))
    with pytest.raises(KeyError, match="no key"):
        kind.run(work, "a")
    assert body.calls == 1
    assert tally(outer) == {"failure": 1}
    assert counts(retry) == {"passed": 1, "retries": 1}
    assert tally(breaker, key="a") == {"failure": 1}


def test_more_than_a_few_policies(kind, script):
    """Retries at both ends of a long plan."""
    breakers = [seawall.CircuitBreaker() for _ in range(8)]
    guard = seawall.Pipeline(
        "tall",
        *breakers[:3],
        seawall.Retry(attempts=2, backoff=1),
        *breakers[3:6],
        seawall.Retry(attempts=2, backoff=1, nested="independent"),
        *breakers[6:],
    )
    body = script(ConnectionError, ConnectionError, ConnectionError, 9)
    assert kind.run(guard(kind.function(body))) == 9
    assert [tally(it) for it in breakers] == (
        [{"success": 1}] * 3
        + [{"failure": 1, "success": 1}] * 3
        + [{"failure": 3, "success": 1}] * 2
    )


WAYS = {
    "plan": lambda retry, breaker, function: retry(breaker(function)),
    "apart": lambda retry, breaker, function: retry(apart(breaker(function))),
}


def apart(protected):
    """In a function of the user's: the rejection arrives as an exception."""

    def calls():
        return protected()

    return calls


def opened(kind, **settings):
    """A circuit that has just opened."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, **settings)
    breaker.try_call(lambda: 1 / 0)
    return breaker


@pytest.mark.parametrize("way", WAYS)
def test_who_tries_a_rejection_again_waits_as_long_as_it_says(kind, script, clock, way):
    """It knows when the circuit may let a call in: nobody polls it until then."""
    breaker = opened(kind, open_duration=4)
    retry = seawall.Retry(on=seawall.CircuitOpenError, backoff=1, attempts=9)
    work = WAYS[way](retry, breaker, kind.function(script(1)))
    assert kind.run(work) == 1
    assert (clock.elapsed, counts(retry)) == (4, {"recovered": 1, "retries": 1})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("settings", "wait"),
    [
        ({}, 5),
        ({"backoff": seawall.linear(1, cap=7)}, 7),
        ({"backoff": 1, "max_delay": 3}, 3),
        ({"backoff": 1}, 60),
        ({"backoff": 1, "retry_after": False}, 1),
        ({"backoff": 100}, 100),
    ],
)
def test_what_it_says_is_bounded_like_what_a_service_says(kind, script, clock, way, settings, wait):
    """By the backoff's cap, `max_delay`, or a minute; and it is not heard if told so."""
    breaker = opened(kind, open_duration=3600)
    retry = seawall.Retry(on=seawall.CircuitOpenError, attempts=2, **settings)
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(WAYS[way](retry, breaker, kind.function(script(1))))
    assert clock.elapsed == wait


@pytest.mark.parametrize("way", WAYS)
def test_a_rejection_for_longer_than_there_is_time(kind, script, clock, told, way):
    """Is given up at once."""
    breaker = opened(kind, open_duration=4)
    retry = seawall.Retry(on=seawall.CircuitOpenError, backoff=1, max_duration=3)
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(WAYS[way](retry, breaker, kind.function(script(1))))
    assert (clock.elapsed, counts(retry)) == (0, {"gave_up_told": 1})


def test_a_rejection_by_a_circuit_of_a_key(kind, script, clock):
    """A circuit of its own says how long, like any other."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, open_duration=4, key="host")
    retry = seawall.Retry(on=(ConnectionError, seawall.CircuitOpenError), backoff=1, attempts=9)
    body = script(ConnectionError, 1)

    def plain(host):
        return body()

    async def awaited(host):
        return body()

    work = retry(breaker(awaited if kind.awaits else plain))
    assert kind.run(work, "a") == 1
    assert body.times == [0, 4]


def test_a_rejection_that_does_not_say(kind, script, clock):
    """Nobody knows when a circuit that is forced open closes: the backoff is waited for."""
    breaker = seawall.CircuitBreaker()
    breaker.force_open()
    retry = seawall.Retry(on=seawall.CircuitOpenError, backoff=1)
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(retry(breaker(kind.function(script(1)))))
    assert clock.elapsed == 2
