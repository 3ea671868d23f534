"""The clock of tests: whose it is, and how it moves."""

import asyncio
import contextvars
import threading
from datetime import timedelta

import pytest
import seawall
from seawall import testing


@pytest.fixture(autouse=True)
def own():
    """Names made in a test are its own."""
    with testing.isolated():
        yield


@pytest.fixture
def opened():
    """A breaker that has just opened for 30 seconds of the machine's time."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0)
    return breaker


def in_thread(function, context=None):
    """What ``function`` returns in a thread, in ``context`` or a fresh one."""
    got = []
    run = (context or contextvars.Context()).run
    thread = threading.Thread(target=lambda: got.append(run(function)))
    thread.start()
    thread.join(30)
    return got[0]


def test_it_starts_at_the_machines_time(opened):
    """State from before keeps its meaning: a circuit opened just now is open for 30 s from now."""
    with testing.clock() as clock:
        assert 29 < opened.retry_after <= 30
        clock.advance(30)
        assert opened.retry_after == 0.0
    assert 29 < opened.retry_after <= 30


@pytest.mark.parametrize(
    ("length", "nanos"),
    [
        (1, 1_000_000_000),
        (0, 0),
        (0.1, 100_000_000),
        (1e-9, 1),
        (123_456_789.5, 123_456_789_500_000_000),
        (10_000_000_001, 10_000_000_001_000_000_000),
        (timedelta(microseconds=1), 1_000),
        (timedelta(days=10_000, microseconds=1), 864_000_000_000_001_000),
    ],
)
def test_it_moves_exactly(length, nanos):
    """Whatever the length is written as, the clock moves by it to the nanosecond."""
    moved = []

    class Spy(testing.clock):
        def _advance(self, by):
            moved.append(by)

    Spy().advance(length)
    assert moved == [nanos]


def test_elapsed_is_the_sum():
    """`elapsed` says how far it was moved altogether, outside as well."""
    clock = testing.clock()
    assert clock.elapsed == 0.0
    with clock:
        clock.advance(1.5)
        clock.advance(timedelta(seconds=2))
    assert clock.elapsed == 3.5


@pytest.mark.parametrize("length", [-1, -0.001, timedelta(seconds=-1), float("nan")])
def test_it_does_not_go_back(length):
    """A clock that went back would be no monotonic one."""
    with testing.clock() as clock:
        with pytest.raises(ValueError):  # noqa: PT011  the message of nan is Python's
            clock.advance(length)
        assert clock.elapsed == 0.0


def test_other_threads_have_their_own_time(opened):
    """A thread that did not enter it reads the machine's clock."""
    with testing.clock() as clock:
        clock.advance(60)
        assert opened.retry_after == 0.0
        assert in_thread(lambda: opened.retry_after) > 29
        assert in_thread(lambda: opened.retry_after, contextvars.copy_context()) == 0.0


def test_tasks_inherit_it(opened):
    """A task has the clock of the one that started it, and shares its movements."""

    async def look():
        return opened.retry_after

    async def main():
        with testing.clock() as clock:
            inside = asyncio.create_task(look())
            clock.advance(60)
            assert await inside == 0.0
        assert await look() > 29

    asyncio.run(main())


def test_other_tasks_are_unaffected(opened):
    """Of two tasks side by side each has the clock that it entered."""

    async def wait(seconds):
        with testing.clock() as clock:
            clock.advance(seconds)
            await asyncio.sleep(0)
            left = opened.retry_after
            await asyncio.sleep(0)
            return left

    async def main():
        return await asyncio.gather(wait(10), wait(20), wait(60))

    first, second, third = asyncio.run(main())
    assert 19 < first <= 20
    assert 9 < second <= 10
    assert third == 0.0


def test_nested_clocks(opened):
    """The inner clock rules inside; outside the outer one does, unmoved."""
    with testing.clock() as outer:
        outer.advance(10)
        left = opened.retry_after
        with testing.clock() as inner:
            inner.advance(60)
            assert opened.retry_after == 0.0
        assert opened.retry_after == left


def test_one_clock_nested_in_itself(opened):
    """Entered twice it is left twice."""
    with testing.clock() as clock:
        with clock:
            clock.advance(60)
        assert opened.retry_after == 0.0
    assert opened.retry_after > 29
    with clock:
        assert opened.retry_after == 0.0


def test_one_clock_in_several_threads(opened):
    """Threads that enter one clock share it, and leave it in whatever order."""
    clock = testing.clock()
    entered, leave = threading.Barrier(2), threading.Event()
    left = []

    def work():
        with clock:
            entered.wait(30)
            leave.wait(30)
            left.append(opened.retry_after)

    thread = threading.Thread(target=work)
    with clock:
        thread.start()
        entered.wait(30)
        clock.advance(60)
    assert opened.retry_after > 29
    leave.set()
    thread.join(30)
    assert left == [0.0]


def test_left_more_often_than_entered():
    """Leaving a clock that is not entered is a mistake, and harms nothing."""
    clock = testing.clock()
    with pytest.raises(RuntimeError, match="not entered"):
        clock.__exit__(None, None, None)
    with testing.clock() as other:
        other.advance(1)


def test_left_in_a_context_that_did_not_enter_it(opened):
    """It can only be left where it was entered, and goes on there meanwhile."""
    with testing.clock() as clock:
        clock.advance(60)
        elsewhere = contextvars.Context()
        with pytest.raises(RuntimeError, match="not entered"):
            elsewhere.run(clock.__exit__, None, None, None)
        assert opened.retry_after == 0.0
    assert opened.retry_after > 29


def test_it_times_calls():
    """Elapsed times are the clock's: a call is as slow as the clock was moved during it."""
    breaker = seawall.CircuitBreaker(slow_call_rate=0.5, slow_call_duration=5, min_calls=1)
    with testing.clock() as clock:
        breaker.call(clock.advance, 4.999_999_999)
        assert breaker.state == "closed"
        breaker.call(clock.advance, 5)
        assert breaker.state == "open"


def test_an_outage_plays_the_same_each_time():
    """A whole outage, played twice by a clock and a seed, tells the same story."""

    def play():
        with testing.isolated(), testing.clock() as clock, testing.record() as told:
            breaker = seawall.CircuitBreaker(
                "shop", failure_threshold=3, open_duration=seawall.exponential(10, cap=300)
            )
            with testing.seed(4):
                for second in range(600):
                    breaker.try_call(lambda down=second < 400: 1 // (not down))
                    clock.advance(1)
        start = told[0].at
        return [(event.kind, round(event.at - start, 6)) for event in told]

    first = play()
    assert first[-1][0] == "breaker.closed"
    assert len(first) > 10
    assert play() == first


@pytest.mark.parametrize("length", [1e9, 1e300, float("inf"), timedelta.max])
def test_it_ends(length):
    """A clock is not moved to where the core's dates no longer fit: it says so and stays."""
    with testing.clock() as clock:
        with pytest.raises(ValueError, match="a clock can't be moved by"):
            clock.advance(length)
        assert clock.elapsed == 0.0
