"""Forced open, disabled, metrics only, and the way back."""

import threading

import pytest
import seawall


def test_forced_open_rejects_for_ever(service, clock):
    """No time and no probe ends it; only somebody's word."""
    it = service()
    it.breaker.force_open()
    clock.advance(1_000_000)
    error = it.refused()
    assert (it.state, error.state, error.retry_after) == ("forced_open", "forced_open", None)
    assert "forced open" in str(error)
    it.breaker.reset()
    it.succeed()
    assert it.state == "closed"


def test_disabled_lets_everything_through(service):
    """It counts how calls end, and judges none."""
    it = service(failure_threshold=1)
    it.breaker.disable()
    it.fail(100)
    assert it.state == "disabled"
    assert it.counts == {"failure": 100}
    assert it.window == 0


def test_disabling_an_open_circuit_lets_calls_in_at_once(service):
    """A switch is immediate, whatever the state was."""
    it = service(failure_threshold=1)
    it.fail()
    it.breaker.disable()
    it.succeed()
    assert it.state == "disabled"


def test_metrics_only_tells_and_lets_through(service, told):
    """A rule that is reached is told once; calls go on, and the rule must be reached anew."""
    it = service(failure_rate=0.5, min_calls=4, window=seawall.calls(10))
    it.breaker.metrics_only()
    it.fail(3)
    assert told.kinds == ["breaker.metrics_only"]
    it.fail()
    would = told[-1]
    assert (would.kind, would.cause, would.calls, would.failure_rate) == (
        "breaker.would_open",
        "failure_rate",
        4,
        1.0,
    )
    it.fail(3)
    assert it.state == "metrics_only"
    assert told.kinds == ["breaker.metrics_only", "breaker.would_open"]
    it.fail()
    assert told.kinds.count("breaker.would_open") == 2
    assert it.breaker.snapshot().opened_count == 0


def test_metrics_only_with_a_row_tells_once_a_row(service, told):
    """The consecutive rule too: one event for each row of that length."""
    it = service(failure_threshold=3)
    it.breaker.metrics_only()
    it.fail(7)
    assert told.kinds.count("breaker.would_open") == 2


def test_reset_forgets(service):
    """Reset closes, and what was in the window and in a row is gone."""
    it = service(failure_threshold=3, failure_rate=0.5, min_calls=4)
    it.fail(2)
    it.breaker.reset()
    assert (it.state, it.window) == ("closed", 0)
    it.fail(2)
    assert it.state == "closed"


@pytest.mark.parametrize(
    ("switch", "state", "event"),
    [
        ("force_open", "forced_open", seawall.BreakerForcedOpen),
        ("disable", "disabled", seawall.BreakerDisabled),
        ("metrics_only", "metrics_only", seawall.BreakerMetricsOnly),
    ],
)
def test_switching_twice_is_switching_once(service, told, switch, state, event):
    """A switch that changes nothing tells nothing; the event says who was there before."""
    it = service()
    getattr(it.breaker, switch)()
    getattr(it.breaker, switch)()
    [only] = told
    assert isinstance(only, event)
    assert (only.before, only.after, only.cause) == ("closed", state, "manual")
    assert it.state == state


def test_reset_is_told(service, told):
    """Somebody's closing is another event than the circuit's own."""
    it = service()
    it.breaker.force_open()
    it.breaker.reset()
    assert isinstance(told[-1], seawall.BreakerReset)
    assert (told[-1].before, told[-1].after) == ("forced_open", "closed")


def test_switches_wait_for_no_call(service):
    """A switch happens while calls are in flight, and these then come too late to count."""
    it = service(failure_threshold=1)
    flights = [it.begin() for _ in range(3)]
    it.breaker.force_open()
    it.refused()
    it.breaker.reset()
    flights[0].end()
    flights[1].end(OSError("late"))
    it.breaker.disable()
    flights[2].end(OSError("late"))
    assert it.state == "disabled"
    assert it.counts["late"] == 3


def test_a_switch_from_within_a_call(service):
    """A protected function may switch its own breaker: no lock is held while it runs."""
    it = service()
    call = it.kind.protect(it.breaker, it.breaker.force_open)
    call()
    assert it.state == "forced_open"


def test_a_switch_from_another_thread_is_seen_at_once(service):
    """The next call of any thread meets the new state."""
    it = service()
    thread = threading.Thread(target=it.breaker.force_open)
    thread.start()
    thread.join()
    it.refused()


def test_a_switch_during_half_open_ends_the_trial(service):
    """Probes of a trial that somebody ended decide nothing."""
    it = service(failure_threshold=1)
    it.fail()
    it.due()
    probe = it.begin()
    it.breaker.force_open()
    probe.end()
    assert it.state == "forced_open"
    assert it.counts["late"] == 1
