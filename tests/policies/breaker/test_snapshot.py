"""A circuit at one moment."""

import asyncio
import copy
import dataclasses
import json
import pickle
from datetime import timedelta

import pytest
import seawall

FIELDS = [
    "name",
    "settings",
    "counts",
    "in_flight",
    "state",
    "generation",
    "failure_rate",
    "slow_call_rate",
    "window_calls",
    "retry_after",
    "opened_count",
    "time_open",
    "kind",
    "key",
]


def test_fields(service):
    """A snapshot has the fields that the contract names."""
    seen = service(name="shop").breaker.snapshot()
    assert [field.name for field in dataclasses.fields(seen)] == FIELDS
    assert (seen.name, seen.kind, seen.key, seen.state) == ("shop", "breaker", None, "closed")
    assert (seen.generation, seen.opened_count, seen.time_open) == (1, 0, 0.0)
    assert (seen.failure_rate, seen.slow_call_rate, seen.window_calls) == (None, None, 0)


def test_it_is_frozen(service):
    """Neither the snapshot nor what it holds can be written to."""
    seen = service().breaker.snapshot()
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.state = "open"
    with pytest.raises(TypeError):
        seen.counts["success"] = 5
    with pytest.raises(TypeError):
        seen.settings["failure_rate"] = 1.0


def test_it_stands_still(service):
    """What happens afterwards does not show in it."""
    it = service(failure_threshold=1)
    seen = it.breaker.snapshot()
    it.fail()
    assert (seen.state, seen.counts["failure"]) == ("closed", 0)


def test_counts_add_up(service):
    """Every call that was let in is counted by one outcome, or is in flight."""
    it = service(failure_threshold=2, ignore=KeyError, half_open_calls=1)
    it.succeed(5)
    it.fail()
    it.fail(error=KeyError)
    it.fail(error=asyncio.CancelledError)
    late, flight = it.begin(), it.begin()
    it.fail()
    late.end()
    it.refused()
    seen = it.breaker.snapshot()
    assert dict(seen.counts) == {
        "success": 5,
        "failure": 2,
        "slow": 0,
        "ignored": 1,
        "cancelled": 1,
        "late": 1,
        "rejected": 1,
    }
    assert seen.in_flight == 1
    flight.end()
    seen = it.breaker.snapshot()
    assert (seen.in_flight, seen.counts["late"]) == (0, 2)


def test_in_flight(service):
    """Calls let in and not ended, however they end."""
    it = service()
    flights = [it.begin() for _ in range(4)]
    for left, what in [(3, None), (2, OSError()), (1, asyncio.CancelledError()), (0, None)]:
        flights.pop().end(what)
        assert it.breaker.snapshot().in_flight == left


def test_time_open_grows_while_it_is_shut(service, clock):
    """Open and forced open count; half-open and closed do not."""
    it = service(failure_threshold=1, open_duration=10, half_open_calls=1)
    it.fail()
    clock.advance(4)
    assert it.breaker.snapshot().time_open == 4.0
    clock.advance(6)
    probe = it.begin()
    clock.advance(50)
    assert it.breaker.snapshot().time_open == 10.0
    probe.end()
    it.breaker.force_open()
    clock.advance(7)
    assert it.breaker.snapshot().time_open == 17.0
    it.breaker.reset()
    clock.advance(100)
    seen = it.breaker.snapshot()
    assert (seen.time_open, seen.opened_count) == (17.0, 1)


def test_generations_count_transitions(service):
    """One more for each transition, whichever way."""
    it = service(failure_threshold=1, half_open_calls=1)
    it.fail()
    it.due()
    it.succeed()
    assert it.breaker.snapshot().generation == 4


def test_settings_in_force(service):
    """Defaults are filled in, durations are seconds, a window of calls has a whole size."""
    it = service(window=seawall.calls(8), slow_call_rate=1, slow_call_duration=timedelta(seconds=2))
    settings = it.breaker.snapshot().settings
    assert settings["window"] == seawall.calls(8)
    assert isinstance(settings["window"].size, int)
    assert dict(settings) == {
        "failure_threshold": None,
        "failure_rate": None,
        "slow_call_rate": 1.0,
        "slow_call_duration": 2.0,
        "window": ("calls", 8),
        "min_calls": 8,
        "open_duration": 30.0,
        "half_open_calls": 3,
        "success_threshold": None,
        "half_open_max_duration": 60.0,
        "on": Exception,
        "ignore": (),
        "on_result": None,
        "on_event": None,
        "key": None,
        "max_keys": None,
        "key_idle": None,
    }
    assert set(settings) == set(seawall.BreakerSettings.__annotations__)


def test_settings_can_be_declared_again(service):
    """What a snapshot shows makes a breaker that shows the same."""
    first = service(failure_threshold=3, window=seawall.seconds(30), min_calls=7).breaker
    again = seawall.CircuitBreaker(**first.settings)
    assert again.settings == first.settings


def test_repr_names_and_states(service):
    """The representation is for people: name and state."""
    it = service(name="shop")
    assert repr(it.breaker) == "<CircuitBreaker 'shop' closed>"
    it.breaker.force_open()
    assert repr(it.breaker) == "<CircuitBreaker 'shop' forced_open>"


def test_a_snapshot_travels() -> None:
    """A snapshot can be made a dict of, pickled and deep-copied, as a health page needs it."""
    snapshot = seawall.CircuitBreaker("travels", failure_threshold=2).snapshot()
    assert dataclasses.asdict(snapshot)["counts"]["success"] == 0
    assert pickle.loads(pickle.dumps(snapshot)) == snapshot
    assert copy.deepcopy(snapshot) == snapshot
    assert json.dumps(snapshot.counts)
