"""Nothing is waited for in vain, and nothing goes on beyond its limit."""

import pytest
import seawall

from tests.policies.retry.service import counts


class Answer(ConnectionError):
    """A transient error that says when to come back."""

    def __init__(self, after):
        """After so long: the header's value."""
        super().__init__("busy")
        self.headers = {"Retry-After": str(after)}


def why(told):
    """What the only call that gave up had reached."""
    (end,) = [event for event in told if event.kind == "retry.gave_up"]
    return end.why


def test_nothing_is_waited_for_after_the_last_attempt(kind, script, clock):
    """resilient-circuit's bug: the error is the caller's as soon as it is the last."""
    body = script(ConnectionError)
    with pytest.raises(ConnectionError):
        kind.run(seawall.Retry(backoff=10)(kind.function(body)))
    assert body.times == [0, 10, 20]
    assert clock.elapsed == 20


def test_the_limit_is_never_overshot(kind, script, clock, told):
    """stamina, tenacity and backoff end at 0.6 s or later: the third attempt can't be in time."""
    body = script(ConnectionError)
    retry = seawall.Retry(attempts=100, backoff=0.3, max_duration=0.5)
    with pytest.raises(ConnectionError):
        kind.run(retry(kind.function(body)))
    assert body.times == [0, 0.3]
    assert clock.elapsed == pytest.approx(0.3)
    assert (why(told), counts(retry)["gave_up_duration"]) == ("duration", 1)


def test_no_attempt_starts_at_the_limit(kind, script):
    """At the limit there is no time left; a moment before there is."""
    for limit, calls in ((0.6, 2), (0.601, 3)):
        body = script(ConnectionError)
        retry = seawall.Retry(attempts=9, backoff=0.3, max_duration=limit)
        with pytest.raises(ConnectionError):
            kind.run(retry(kind.function(body)))
        assert body.calls == calls


def test_the_time_of_the_attempts_counts(kind, script, clock):
    """The limit is of the whole call: attempts, and the waits between them."""

    def slow():
        clock.advance(4)
        return body()

    body = script(ConnectionError)
    retry = seawall.Retry(attempts=9, backoff=2, max_duration=10)
    with pytest.raises(ConnectionError):
        kind.run(retry(kind.function(slow)))
    assert body.times == [4, 10]


def test_each_call_has_its_own_time(kind, script, clock):
    """The limit begins with the call, not with the retry."""
    retry = seawall.Retry(attempts=2, backoff=1, max_duration=2)
    for _ in range(3):
        body = script(ConnectionError)
        with pytest.raises(ConnectionError):
            kind.run(retry(kind.function(body)))
        assert body.calls == 2
        clock.advance(5)


def test_no_wait_is_longer_than_max_delay(kind, script):
    """It cuts every backoff, a callable's answer, and what the service asks for."""
    for backoff, line in (
        (9, ConnectionError),
        (seawall.exponential(4, jitter="none"), ConnectionError),
        (seawall.custom(lambda n: 7), ConnectionError),
        (lambda outcome: 8, ConnectionError),
        (0.5, Answer(30)),
    ):
        body = script(line, line, 1)
        work = seawall.Retry(backoff=backoff, max_delay=3)(kind.function(body))
        assert kind.run(work) == 1
        assert body.waits == [3, 3]


def test_the_service_says_how_long(kind, script):
    """`Retry-After` is a floor: the longer of it and the backoff is waited for."""
    body = script(Answer(3), Answer(1), 1)
    work = seawall.Retry(backoff=seawall.constant(2))(kind.function(body))
    assert kind.run(work) == 1
    assert body.waits == [3, 2]


def test_a_result_may_say_how_long(kind, script):
    """Of clients that return a 503 without raising."""

    class Response:
        headers = {"Retry-After": "4"}  # noqa: RUF012  as clients have it
        status_code = 503

    body = script(Response(), 1)
    work = seawall.Retry(on_result=seawall.transient, backoff=1)(kind.function(body))
    assert kind.run(work) == 1
    assert body.waits == [4]


def test_the_cap_bounds_what_the_service_asks_for(kind, script):
    """A hostile or mistaken header holds nobody longer than the backoff's cap, 5 s by default."""
    capped = {"backoff": seawall.exponential(1, cap=2.5, jitter="none")}
    for settings, wait in (({}, 5), (capped, 2.5)):
        body = script(Answer(3600), 1)
        assert kind.run(seawall.Retry(**settings)(kind.function(body))) == 1
        assert body.waits == [wait]


def test_a_minute_is_the_cap_where_there_is_no_other(kind, script):
    """A backoff without one leaves nobody waiting for a day; `max_delay` says how long instead."""
    for backoff in (1, {ConnectionError: 1}, seawall.custom(lambda n: 1), lambda outcome: 1):
        for most, wait in ((None, 60), (7200, 7200), (2, 2)):
            body = script(Answer(86_400), 1)
            retry = seawall.Retry(backoff=backoff, max_delay=most)
            assert kind.run(retry(kind.function(body))) == 1
            assert body.waits == [wait]


def test_the_users_own_wait_may_be_longer_than_that(kind, script):
    """The minute bounds what the service asks for, not what the backoff says."""
    body = script(Answer(86_400), 1)
    assert kind.run(seawall.Retry(backoff=90)(kind.function(body))) == 1
    assert body.waits == [90]


def test_what_it_asks_for_is_not_heard_if_told_so(kind, script):
    """`retry_after=False` leaves it to the backoff."""
    body = script(Answer(4), 1)
    assert kind.run(seawall.Retry(retry_after=False, backoff=1)(kind.function(body))) == 1
    assert body.waits == [1]


def test_too_late_for_the_limit_is_told_at_once(kind, script, clock, told):
    """If the service asks for more than there is, nobody waits."""
    body = script(Answer(4), 1)
    retry = seawall.Retry(max_duration=3)
    with pytest.raises(Answer):
        kind.run(retry(kind.function(body)))
    assert (body.calls, clock.elapsed, why(told)) == (1, 0, "told")
    assert counts(retry) == {"gave_up_told": 1}


def test_a_service_that_wants_no_more_calls(kind, script, clock, told):
    """GRPC's negative pushback: no further attempt, whatever time there is."""
    error = Answer(0)
    error.headers = {"grpc-retry-pushback-ms": "-1"}
    body = script(error, 1)
    retry = seawall.Retry()
    with pytest.raises(Answer) as raised:
        kind.run(retry(kind.function(body)))
    assert (body.calls, clock.elapsed, why(told)) == (1, 0, "told")
    assert "asked not to be called again" in raised.value.__notes__[0]


def test_a_step_of_the_wall_clock_changes_nothing(script, monkeypatch):
    """Backoff's bug: the limit is measured by a clock that is never set."""
    moments = iter([1e9, 0.0, 2e9, 5.0])
    monkeypatch.setattr("time.time", lambda: next(moments, 7e9))

    def stepping():
        import time

        time.time()
        return body()

    body = script(ConnectionError)
    retry = seawall.Retry(attempts=4, backoff=1, max_duration=60)
    with pytest.raises(ConnectionError):
        retry.call(stepping)
    assert body.times == [0, 1, 2, 3]


def test_no_wait_at_all(kind, script, clock):
    """A backoff of 0 tries again at once."""
    body = script(ConnectionError, ConnectionError, 1)
    assert kind.run(seawall.Retry(backoff=0)(kind.function(body))) == 1
    assert clock.elapsed == 0


def test_an_outage_of_an_hour(kind, script):
    """Plays in no time: the call comes back with the service."""

    def service():
        body()
        if body.times[-1] < 3600:
            raise ConnectionError("down")
        return "up"

    body = script(None)
    retry = seawall.Retry(attempts=10_000, backoff=seawall.exponential(1, cap=60, jitter="none"))
    assert kind.run(retry(kind.function(service))) == "up"
    assert 3600 <= body.times[-1] <= 3660
