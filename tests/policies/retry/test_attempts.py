"""How often a function is called."""

import pytest
import seawall

from tests.policies.retry.service import counts


@pytest.mark.parametrize("attempts", [1, 2, 3, 7])
def test_the_first_call_counts(kind, script, attempts):
    """`attempts` is how often the function is called, the first time included."""
    body = script(ConnectionError)
    retry = seawall.Retry(attempts=attempts)
    with pytest.raises(ConnectionError):
        kind.run(retry(kind.function(body)))
    assert body.calls == attempts
    assert counts(retry) == {"gave_up_attempts": 1} | (
        {"retries": attempts - 1} if attempts > 1 else {}
    )


def test_three_by_default(kind, script):
    """The bare decorator makes three attempts."""
    body = script(ConnectionError)
    with pytest.raises(ConnectionError):
        kind.run(seawall.retry(kind.function(body)))
    assert body.calls == 3


def test_a_call_that_goes_well_is_made_once(kind, script):
    """Nothing is waited for, and nothing else is counted."""
    body = script(5)
    retry = seawall.Retry()
    assert kind.run(retry(kind.function(body))) == 5
    assert (body.times, counts(retry)) == ([0], {"success": 1})


@pytest.mark.parametrize("failures", [1, 2, 4])
def test_the_first_good_attempt_is_the_last(kind, script, failures):
    """Its result is the call's."""
    body = script(*[ConnectionError] * failures, "good")
    retry = seawall.Retry(attempts=5)
    assert kind.run(retry(kind.function(body))) == "good"
    assert body.calls == failures + 1
    assert counts(retry) == {"recovered": 1, "retries": failures}


def test_the_last_error_is_the_callers(kind, script):
    """It is the very object that the last attempt raised."""
    errors = [ConnectionError(number) for number in range(3)]
    body = script(*errors)
    with pytest.raises(ConnectionError) as raised:
        kind.run(seawall.retry(kind.function(body)))
    assert raised.value is errors[2]


def test_each_attempt_gets_the_same_arguments(kind, script):
    """Positional ones, named ones, the very objects."""
    body = script(ConnectionError, ConnectionError, None)
    one, other = object(), object()
    kind.run(seawall.retry(kind.function(body)), one, 2, named=other, also=4)
    assert body.given == [((one, 2), {"named": other, "also": 4})] * 3
    assert all(given[0][0] is one and given[1]["named"] is other for given in body.given)


@pytest.mark.parametrize(("lines", "attempts"), [([1], 1), ([OSError, 1], 2), ([OSError], 3)])
def test_an_outcome_says_how_often(kind, script, lines, attempts):
    """`try_call` counts the attempts, however they end, and the time of all of them."""
    body = script(*lines)
    retry = seawall.Retry(on=OSError, backoff=1)
    outcome = kind.run(retry.try_call, kind.function(body))
    assert (outcome.attempts, body.calls) == (attempts, attempts)
    assert outcome.ok == (lines[-1] == 1)
    assert outcome.elapsed == pytest.approx(attempts - 1)


def test_thousands_of_attempts_need_no_stack(script):
    """Attempts follow one another; they are not inside one another."""
    body = script(*[ConnectionError] * 3_000, 1)
    retry = seawall.Retry(attempts=1_000_000, backoff=0)
    assert retry.call(body) == 1
    assert body.calls == 3_001
