"""Outcomes that come after the circuit has moved on."""

import asyncio

import pytest

ENDS = {"success": None, "failure": OSError("late"), "cancelled": asyncio.CancelledError()}


@pytest.fixture(params=ENDS.values(), ids=ENDS)
def end(request):
    """How the late call ends."""
    return request.param


def test_an_open_circuit_is_moved_by_no_late_outcome(service, clock, told, end):
    """A stale success does not close it, a stale failure does not keep it open for longer."""
    it = service(failure_threshold=1)
    late = it.begin()
    it.fail()
    clock.advance(20)
    late.end(end)
    assert (it.state, it.breaker.retry_after) == ("open", 10.0)
    assert told.kinds == ["breaker.opened"]
    assert it.counts["late"] == 1


def test_a_trial_is_decided_by_its_own_probes(service, end):
    """Outcomes of calls from before the opening say nothing in half-open."""
    it = service(failure_threshold=1, half_open_calls=2)
    late = [it.begin() for _ in range(5)]
    it.fail()
    it.due()
    probe = it.begin()
    for flight in late:
        flight.end(end)
    assert it.state == "half_open"
    probe.end()
    it.succeed()
    assert it.state == "closed"


def test_a_closed_circuit_starts_afresh(service, end):
    """After a recovery, failures from before the outage's end neither count nor re-open."""
    it = service(failure_threshold=2, half_open_calls=1)
    late = [it.begin() for _ in range(4)]
    it.fail(2)
    it.due()
    it.succeed()
    assert it.state == "closed"
    for flight in late:
        flight.end(end)
    assert (it.state, it.window) == ("closed", 0)
    it.fail()
    assert it.state == "closed"


def test_a_probe_of_an_earlier_trial_is_late(service, end):
    """A probe that outlives its trial has no say in the next one."""
    it = service(failure_threshold=1, half_open_calls=2)
    it.fail()
    it.due()
    old = it.begin()
    it.fail()
    assert it.state == "open"
    it.due()
    probe = it.begin()
    other = it.begin()
    old.end(end)
    it.refused()
    assert it.state == "half_open"
    probe.end()
    other.end()
    assert it.state == "closed"
