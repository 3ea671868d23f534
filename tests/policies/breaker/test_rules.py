"""What opens a closed circuit."""

import pytest
import seawall

WINDOW = seawall.calls(10)


def test_consecutive_failures_open(service, told):
    """As many failures in a row as named open it, and not one fewer."""
    it = service(failure_threshold=3)
    it.fail(2)
    assert it.state == "closed"
    it.fail()
    assert it.state == "open"
    assert (told[-1].kind, told[-1].cause) == ("breaker.opened", "consecutive_failures")


def test_a_success_ends_the_row(service):
    """Failures are in a row only if no success lies between them."""
    it = service(failure_threshold=3)
    for _ in range(5):
        it.fail(2)
        it.succeed()
    assert it.state == "closed"


def test_an_ignored_call_does_not_end_the_row(service):
    """An ignored exception is neither: the row of failures goes on across it."""
    it = service(failure_threshold=3, ignore=KeyError)
    it.fail(2)
    it.fail(error=KeyError)
    it.fail()
    assert it.state == "open"


def test_min_calls_does_not_gate_the_row(service):
    """The consecutive rule opens however few calls there were."""
    it = service(failure_threshold=2, failure_rate=0.5, min_calls=50)
    it.fail(2)
    assert it.state == "open"


def test_failure_rate_is_reached_not_passed(service, told):
    """A rate opens the circuit when it is equal to the threshold."""
    it = service(failure_rate=0.3, window=WINDOW, min_calls=10)
    it.succeed(7)
    it.fail(2)
    assert it.state == "closed"
    it.fail()
    assert it.state == "open"
    opened = told[-1]
    assert (opened.cause, opened.failure_rate, opened.calls) == ("failure_rate", 0.3, 10)
    assert opened.slow_call_rate is None


def test_no_rule_named_is_half_of_a_hundred(service):
    """Without a rule, half of at least 20 calls must fail."""
    it = service()
    it.fail(19)
    assert it.state == "closed"
    it.fail()
    assert it.state == "open"


def test_a_named_rule_stands_alone(service):
    """The default rate rule applies only when none is named."""
    it = service(failure_threshold=1000, min_calls=1)
    it.fail(200)
    assert it.state == "closed"
    assert it.breaker.settings["failure_rate"] is None


def test_slow_call_rate_opens(service, told):
    """Calls that take as long as named, or longer, are slow, and their rate opens the circuit."""
    it = service(slow_call_rate=0.5, slow_call_duration=2, window=WINDOW, min_calls=4)
    it.succeed(2, seconds=1.999_999_999)
    it.succeed(seconds=2)
    assert it.state == "closed"
    it.succeed(seconds=3)
    assert it.state == "open"
    assert (told[-1].cause, told[-1].slow_call_rate) == ("slow_call_rate", 0.5)
    assert it.counts == {"success": 4, "slow": 2}


def test_slow_failures_count_for_both(service):
    """A call may be slow and failed; without a failure rule only its slowness opens."""
    it = service(slow_call_rate=1.0, slow_call_duration=1, window=WINDOW, min_calls=3)
    it.fail(2, seconds=1)
    it.fail()
    assert it.state == "closed"
    assert it.counts == {"failure": 3, "slow": 2}


@pytest.mark.parametrize(
    ("fall_ill", "cause"),
    [
        (lambda it: it.fail(4), "consecutive_failures"),
        (lambda it: [(it.fail(), it.succeed()) for _ in range(5)], "failure_rate"),
        (lambda it: it.succeed(10, seconds=1), "slow_call_rate"),
    ],
)
def test_any_rule_of_several_opens(service, told, fall_ill, cause):
    """Rules named together are joined by *or*; the event names the one that was reached."""
    it = service(
        failure_threshold=4,
        failure_rate=0.5,
        slow_call_rate=0.8,
        slow_call_duration=1,
        window=WINDOW,
        min_calls=10,
    )
    fall_ill(it)
    assert it.state == "open"
    assert told[-1].cause == cause


def test_rates_wait_for_min_calls(service):
    """Failures alone, but fewer than the volume threshold, open nothing."""
    it = service(failure_rate=0.5, min_calls=10)
    it.fail(9)
    assert it.state == "closed"


def test_a_success_may_be_what_reaches_min_calls(service):
    """The call that completes the volume is judged even when it succeeds."""
    it = service(failure_rate=0.5, min_calls=10)
    it.fail(9)
    it.succeed()
    assert it.state == "open"


def test_min_calls_is_at_most_the_window(service):
    """A window smaller than the volume threshold is judged when it is full."""
    it = service(failure_rate=0.5, window=seawall.calls(5))
    assert it.breaker.settings["min_calls"] == 5
    it.fail(4)
    assert it.state == "closed"
    it.fail()
    assert it.state == "open"


def test_rejections_never_dilute(service):
    """Rejected calls are outcomes of nothing: a thousand of them change no rate."""
    it = service(failure_rate=0.5, window=WINDOW, min_calls=4, half_open_calls=1)
    it.succeed(2)
    it.fail(2)
    before = it.breaker.snapshot()
    for _ in range(1000):
        it.refused()
    after = it.breaker.snapshot()
    assert after.counts["rejected"] == 1000
    assert (after.window_calls, after.failure_rate) == (before.window_calls, before.failure_rate)
    it.due()
    it.succeed()
    it.fail(2)
    it.succeed(2)
    assert it.state == "open"


def test_a_trip_is_worked_out_once(service, told):
    """One trip is one transition and one event, whatever comes after it."""
    it = service(failure_threshold=1)
    late = [it.begin() for _ in range(4)]
    it.fail()
    for flight in late:
        flight.end(OSError("too late"))
    assert told.kinds == ["breaker.opened"]
    assert it.breaker.snapshot().opened_count == 1
