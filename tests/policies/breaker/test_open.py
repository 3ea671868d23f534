"""How long an open circuit stays open, and what it tells meanwhile."""

from datetime import timedelta

import pytest
import seawall


def open_for(it, error=OSError):
    """Opens a circuit that has ``failure_threshold=1``, and says for how long."""
    it.fail(error=error)
    return it.breaker.retry_after


def test_fixed(service, clock):
    """It rejects for exactly the time given, then lets a probe in."""
    it = service(failure_threshold=1, open_duration=30)
    it.fail()
    clock.advance(29.999_999_999)
    it.refused()
    clock.advance(0.000_000_001)
    it.succeed()
    assert it.state == "half_open"


def test_default_is_thirty_seconds(service):
    """Without a word on it, 30 seconds."""
    assert open_for(service(failure_threshold=1)) == 30.0


def test_timedelta(service):
    """A timedelta is as good as a number, and the settings tell it in seconds."""
    it = service(failure_threshold=1, open_duration=timedelta(minutes=2))
    assert open_for(it) == 120.0
    assert it.breaker.settings["open_duration"] == 120.0


def test_retry_after_is_exact(service, clock):
    """The breaker, the refusal and the snapshot agree on what is left, to the nanosecond."""
    it = service(failure_threshold=1, open_duration=10)
    it.fail()
    for left in (10.0, 7.75, 0.25):
        clock.advance(it.breaker.retry_after - left)
        assert it.breaker.retry_after == left
        assert it.refused().retry_after == left
        assert it.breaker.snapshot().retry_after == left


def test_retry_after_is_zero_where_calls_are_let_in(service, clock):
    """0.0 says a call would be let in at this moment; None that only a person can end it."""
    it = service(failure_threshold=1, half_open_calls=2)
    breaker = it.breaker
    assert breaker.retry_after == 0.0
    it.fail()
    assert breaker.retry_after == 30.0
    it.due()
    assert breaker.retry_after == 0.0
    it.succeed()
    assert (it.state, breaker.retry_after) == ("half_open", 0.0)
    for switch in (breaker.disable, breaker.metrics_only, breaker.reset):
        switch()
        assert breaker.retry_after == breaker.snapshot().retry_after == 0.0
    breaker.force_open()
    assert breaker.retry_after is None
    assert breaker.snapshot().retry_after is None
    assert it.refused().retry_after is None


def test_reading_never_moves_it(service, clock, told):
    """A circuit whose time has come stays open, due at once, until somebody calls."""
    it = service(failure_threshold=1)
    it.fail()
    clock.advance(3_600)
    for _ in range(3):
        seen = it.breaker.snapshot()
        assert (it.state, it.breaker.retry_after) == ("open", 0.0)
        assert (seen.state, seen.retry_after) == ("open", 0.0)
        assert "open" in repr(it.breaker)
    assert told.kinds == ["breaker.opened"]
    it.succeed()
    assert told.kinds == ["breaker.opened", "breaker.half_opened"]


def test_backoff_grows_with_each_reopening(service):
    """The first opening is the backoff's delay 0, each re-opening the next one."""
    it = service(failure_threshold=1, open_duration=seawall.exponential(1, cap=6, jitter="none"))
    seen = []
    for _ in range(5):
        seen.append(open_for(it))
        it.due()
    assert seen == [1.0, 2.0, 4.0, 6.0, 6.0]


def test_backoff_starts_again_after_closing(service):
    """A circuit that has closed opens for the first delay again."""
    backoff = seawall.linear(10)
    it = service(failure_threshold=1, open_duration=backoff, success_threshold=1)
    for _ in range(2):
        assert open_for(it) == 10.0
        it.due()
        assert open_for(it) == 20.0
        it.due()
        it.succeed()
        assert it.state == "closed"


def test_backoff_starts_again_after_reset(service):
    """So does one that somebody closed by hand."""
    it = service(failure_threshold=1, open_duration=seawall.linear(10))
    open_for(it)
    it.due()
    assert open_for(it) == 20.0
    it.breaker.reset()
    assert open_for(it) == 10.0


@pytest.mark.parametrize("jitter", ["full", "equal", "decorrelated", "smooth", 0.3])
def test_seeded_jitter_repeats(service, jitter):
    """The same seed gives the same durations, another seed others; none leaves its bounds."""

    def durations(seed):
        it = service(
            failure_threshold=1, open_duration=seawall.exponential(5, cap=60, jitter=jitter)
        )
        seen = []
        with seawall.testing.seed(seed):
            for _ in range(6):
                seen.append(open_for(it))
                it.due()
        return seen

    first = durations(7)
    assert durations(7) == first
    assert durations(8) != first
    assert all(0 <= duration <= 60 for duration in first)


def test_custom_backoff_is_asked_for_the_number(service):
    """A custom backoff gets the number of the re-opening; its cap bounds the answer."""
    asked = []

    def delay(number):
        asked.append(number)
        return timedelta(seconds=[5, 50, 500][number])

    it = service(failure_threshold=1, open_duration=seawall.custom(delay, cap=60))
    seen = []
    for _ in range(3):
        seen.append(open_for(it))
        it.due()
    assert asked == [0, 1, 2]
    assert seen == [5.0, 50.0, 60.0]


class Busy(Exception):
    """Says when to come back."""


def test_callable_of_the_outcome(service):
    """A callable gets the outcome that opened the circuit: here, what a service asked for."""
    seen = []

    def duration(outcome):
        seen.append(outcome)
        return 7 if isinstance(outcome.error, Busy) else 3

    it = service(failure_threshold=1, open_duration=duration)
    assert open_for(it, Busy) == 7.0
    [outcome] = seen
    assert (outcome.ok, outcome.value, outcome.rejected) == (False, None, None)
    assert isinstance(outcome.error, Busy)
    it.breaker.reset()
    assert open_for(it) == 3.0


def test_callable_of_a_value(service):
    """A returned value that counts as a failure reaches the callable as a value."""
    it = service(
        failure_threshold=1,
        on_result=lambda value: value == 503,
        open_duration=lambda outcome: outcome.value / 10,
    )
    assert it.call(503) == 503
    assert it.breaker.retry_after == 50.3


def test_callable_sees_how_long_the_call_took(service):
    """`elapsed` is the time of the call that opened the circuit."""
    it = service(failure_threshold=1, open_duration=lambda outcome: outcome.elapsed * 2)
    it.fail(seconds=4)
    assert it.breaker.retry_after == 8.0


def test_callable_answers_none(service, unraisable):
    """None means the default, without complaint."""
    assert open_for(service(failure_threshold=1, open_duration=lambda _: None)) == 30.0
    assert unraisable == []


@pytest.mark.parametrize(
    "nonsense", ["soon", -1, 0, float("nan"), float("inf"), True, b"7", [3], {}], ids=repr
)
def test_callable_answers_nonsense(service, unraisable, nonsense):
    """Nonsense is reported, the default stands in, and the caller gets its own error."""
    it = service(name="shop", failure_threshold=1, open_duration=lambda _: nonsense)
    assert open_for(it) == 30.0
    [error] = unraisable
    assert isinstance(error, ValueError)
    assert "open_duration of circuit shop answered" in str(error)


def test_callable_leaves_no_trace(service):
    """One that raises the caller's exception again leaves no frame of its own in it."""

    def duration(outcome):
        try:
            outcome.unwrap()
        except OSError:
            return 5

    it = service(failure_threshold=1, open_duration=duration)
    error = OSError("down")
    with pytest.raises(OSError, match="down"):
        it.call(error)
    names = []
    trace = error.__traceback__
    while trace:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert "duration" not in names
    assert it.breaker.retry_after == 5.0


def test_callable_raises(service, unraisable):
    """A callable that raises is reported; the circuit opens for the default time."""
    problem = ZeroDivisionError("in the callable")

    def duration(outcome):
        raise problem

    it = service(failure_threshold=1, open_duration=duration)
    assert open_for(it) == 30.0
    assert unraisable == [problem]


def test_callable_may_use_the_breaker(service):
    """No lock is held while a callable runs: it may read and call the very breaker it is of."""
    states = []

    def duration(outcome):
        states.append(it.breaker.snapshot().state)
        it.succeed()
        return 5

    it = service(failure_threshold=1, open_duration=duration)
    assert open_for(it) == 5.0
    assert states == ["closed"]


def test_callable_that_resets_wins(service):
    """If the circuit has moved on while the callable ran, the trip is void."""
    it = service(failure_threshold=1, open_duration=lambda _: it.breaker.disable())
    it.fail()
    assert it.state == "disabled"


def test_reopening_counts_for_retry_after(service):
    """A re-opened circuit counts its time from the re-opening."""
    it = service(failure_threshold=1, open_duration=10)
    it.fail()
    it.clock.advance(25)
    assert open_for(it) == 10.0
