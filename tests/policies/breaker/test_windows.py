"""What a window holds, and what falls out of it."""

from collections import deque

import pytest
import seawall
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policies.breaker.service import Service, SyncKind


def test_count_window_drops_the_oldest(service):
    """The ring holds the last N outcomes: a failure leaves it with the N-th call after it."""
    it = service(failure_rate=1.0, window=seawall.calls(5), min_calls=5)
    it.fail()
    for held in range(1, 6):
        assert it.window == held
        assert it.breaker.snapshot().failure_rate == 1 / held
        it.succeed()
    assert it.window == 5
    assert it.breaker.snapshot().failure_rate == 0.0


def test_a_window_of_one(service):
    """The smallest window judges each call by itself."""
    it = service(failure_rate=1.0, window=seawall.calls(1))
    it.succeed(3)
    assert it.window == 1
    it.fail()
    assert it.state == "open"


def test_count_window_does_not_age(service, clock):
    """A count window is of calls, however slowly they come in."""
    it = service(failure_rate=1.0, window=seawall.calls(3))
    it.fail(2)
    clock.advance(86_400)
    it.fail()
    assert it.state == "open"


def test_time_window_forgets(service, clock):
    """What is older than the window is gone, by reading alone."""
    it = service(failure_rate=1.0, window=seawall.seconds(16), min_calls=100)
    it.fail(3)
    clock.advance(15.999_999_999)
    assert it.window == 3
    clock.advance(0.000_000_001)
    assert it.window == 0
    assert it.breaker.snapshot().failure_rate is None


def test_time_window_moves_by_sixteenths(service, clock):
    """A step later only what the oldest bucket held has left."""
    it = service(failure_rate=1.0, window=seawall.seconds(16), min_calls=100)
    for _ in range(16):
        it.fail()
        clock.advance(1)
    assert it.window == 15
    clock.advance(0.999_999_999)
    assert it.window == 15
    clock.advance(0.000_000_001)
    assert it.window == 14


def test_time_window_after_a_long_rest(service, clock):
    """A bucket that was last written many laps ago counts nothing."""
    it = service(failure_rate=1.0, window=seawall.seconds(1), min_calls=2)
    it.fail()
    clock.advance(16 * 1_000)
    assert it.window == 0
    it.fail()
    assert (it.window, it.state) == (1, "closed")
    it.fail()
    assert it.state == "open"


def test_no_rate_no_window(service):
    """Where no rate is named nothing is kept for one."""
    it = service(failure_threshold=5)
    it.fail(3)
    assert it.window == 0


def test_a_new_state_starts_an_empty_window(service):
    """What led to the opening does not count again after the closing."""
    it = service(failure_rate=0.5, window=seawall.calls(4), min_calls=4, half_open_calls=1)
    it.fail(4)
    it.due()
    it.succeed()
    assert (it.state, it.window) == ("closed", 0)
    it.fail(3)
    assert it.state == "closed"


OUTCOMES = st.sampled_from(["ok", "fail", "slow", "slow_fail"])


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 40),
    min_calls=st.integers(1, 50),
    rate=st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.9, 1.0]),
    slow_rate=st.sampled_from([0.2, 0.5, 1.0]),
    history=st.lists(OUTCOMES, max_size=150),
)
def test_count_window_is_the_naive_one(size, min_calls, rate, slow_rate, history):
    """Over any history, totals and the moment of the trip are those of a list of the last N."""
    held = deque(maxlen=size)
    with seawall.testing.isolated(), seawall.testing.clock() as clock:
        it = Service(
            SyncKind(),
            clock,
            failure_rate=rate,
            slow_call_rate=slow_rate,
            slow_call_duration=1,
            window=seawall.calls(size),
            min_calls=min_calls,
        )
        for outcome in history:
            play(it, outcome)
            held.append(outcome)
            assert agrees(it, list(held), min(min_calls, size), rate, slow_rate)
            if it.state == "open":
                return


@settings(max_examples=60, deadline=None)
@given(
    min_calls=st.integers(1, 20),
    rate=st.sampled_from([0.1, 0.3, 0.5, 1.0]),
    history=st.lists(
        st.tuples(
            st.sampled_from(["ok", "fail"]),
            st.sampled_from([0, 1, 999_999_999, 1_000_000_000, 4_700_000_000, 20_000_000_000])
            | st.integers(0, 40_000_000_000),
        ),
        max_size=80,
    ),
)
def test_time_window_is_the_naive_one(min_calls, rate, history):
    """Over any history and any rests, totals and trips are those of a list of marked calls."""
    held = []
    moved = 0
    with seawall.testing.isolated(), seawall.testing.clock() as clock:
        it = Service(
            SyncKind(),
            clock,
            failure_rate=rate,
            window=seawall.seconds(16),
            min_calls=min_calls,
        )
        for outcome, nanos in history:
            clock._advance(nanos)
            moved += nanos
            epoch = moved // 1_000_000_000
            held = [(at, kept) for at, kept in held if at > epoch - 16]
            assert it.window == len(held)
            play(it, outcome)
            held.append((epoch, outcome))
            assert agrees(it, [kept for _, kept in held], min_calls, rate, None)
            if it.state == "open":
                return


def play(it, outcome):
    """One call that ends so."""
    seconds = 1 if outcome.startswith("slow") else 0
    if outcome.endswith("fail"):
        it.fail(seconds=seconds)
    else:
        it.succeed(seconds=seconds)


def agrees(it, held, min_calls, rate, slow_rate):
    """Whether a breaker and the outcomes that a naive window holds come to the same."""
    failures = sum(outcome.endswith("fail") for outcome in held) / len(held)
    slow = sum(outcome.startswith("slow") for outcome in held) / len(held)
    reached = failures >= rate or (slow_rate is not None and slow >= slow_rate)
    if len(held) >= min_calls and reached:
        return it.state == "open"
    seen = it.breaker.snapshot()
    expected = (len(held), failures, None if slow_rate is None else slow)
    return (
        it.state == "closed"
        and (seen.window_calls, seen.failure_rate, seen.slow_call_rate) == expected
    )


@pytest.mark.parametrize("size", [15, 16, 17, 100])
def test_many_laps_leave_no_trace(size, clock):
    """After any number of laps of good calls the window holds N calls and no failure."""
    it = Service(SyncKind(), clock, failure_rate=1.0, window=seawall.calls(size))
    for _ in range(300):
        it.fail()
        it.succeed(size)
        seen = it.breaker.snapshot()
        assert (seen.window_calls, seen.failure_rate) == (size, 0.0)
