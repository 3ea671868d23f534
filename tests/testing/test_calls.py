"""What a test's clock calls when it comes to a time: sleeps and timeouts stand on it."""

import gc
import threading
import weakref

import pytest
from seawall import testing


def after(clock, seconds, callback):
    """Asks for a call so many seconds from now."""
    return clock._call_at(clock._now + round(seconds * 1e9), callback)


@pytest.fixture
def clock():
    """A clock that nobody has entered."""
    return testing.clock()


def test_calls_are_made_in_the_order_of_time(clock):
    """Each is made with the clock at its own time; at one time, in the order of asking."""
    made = []
    for name, at in [("c", 3), ("a", 1), ("d", 3), ("b", 2), ("e", 9)]:
        after(clock, at, lambda name=name: made.append((name, clock.elapsed)))
    clock.advance(5)
    assert made == [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 3.0)]
    assert (clock.elapsed, clock._calls) == (5.0, 1)


def test_a_call_at_the_end_of_the_way_is_made(clock):
    """A move goes up to and including its end, to the nanosecond."""
    made = []
    clock._call_at(clock._now + 1_000_000_000, lambda: made.append(1))
    clock.advance(0.999_999_999)
    assert made == []
    clock.advance(1e-9)
    assert made == [1]


def test_a_time_that_has_come_is_called_at_once(clock):
    """Nobody need move the clock to where it is already."""
    made = []
    handle = clock._call_at(clock._now, lambda: made.append(1))
    assert made == [1]
    assert handle.cancel() is False


def test_a_call_can_be_cancelled_once(clock):
    """A cancelled call is not made and leaves nothing on the list; cancelling again is harmless."""
    handle = after(clock, 1, pytest.fail)
    assert clock._calls == 1
    assert handle.cancel() is True
    assert handle.cancel() is False
    assert clock._calls == 0
    clock.advance(2)


def test_what_is_called_may_ask_for_more(clock):
    """A call may ask for another, cancel one, and move the clock: moves add up."""
    made = []
    victim = after(clock, 2, lambda: made.append("victim"))

    def first():
        victim.cancel()
        after(clock, 1, lambda: made.append(clock.elapsed))
        clock.advance(0.5)

    after(clock, 1, first)
    clock.advance(5)
    assert made == [2.0]
    assert clock.elapsed == 5.5


def test_a_call_that_fails_stops_nobody(clock, monkeypatch):
    """An error in a call is reported as unraisable; the clock and the other calls go on."""
    told, made = [], []
    monkeypatch.setattr("sys.unraisablehook", lambda report: told.append(report.exc_type))
    after(clock, 1, lambda: 1 / 0)
    after(clock, 1, lambda: made.append(clock.elapsed))
    clock.advance(2)
    assert (told, made, clock.elapsed) == ([ZeroDivisionError], [1.0], 2.0)


def test_what_stops_a_program_stops_the_clock(clock):
    """Ctrl-C in a call comes out of the move, with the clock at that call's time."""

    def interrupt():
        raise KeyboardInterrupt

    made = []
    after(clock, 1, interrupt)
    after(clock, 1, lambda: made.append(1))
    with pytest.raises(KeyboardInterrupt):
        clock.advance(2)
    assert (clock.elapsed, made) == (1.0, [])
    clock.advance(0)
    assert made == [1]


def test_no_lock_is_held_by_a_call(clock):
    """While a call is being made, other threads ask, cancel and move as they like."""
    made = []

    def other():
        after(clock, 1, lambda: made.append("other")).cancel()
        after(clock, 0.5, lambda: made.append(clock.elapsed))
        clock.advance(1)

    def work():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
        made.append(thread.is_alive())

    after(clock, 1, work)
    clock.advance(1)
    assert made == [1.5, False]
    assert clock.elapsed == 2.0


def test_moves_by_many_threads_add_up(clock):
    """Threads that move one clock at once move it by the sum, and each call is made once."""
    made = []
    for at in range(1, 101):
        after(clock, at, lambda: made.append(clock.elapsed))

    def work():
        for _ in range(100):
            clock.advance(0.25)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.elapsed == 100.0
    assert len(made) == 100


def test_what_is_asked_for_does_not_leak(clock):
    """A clock, its calls and their handles, in one ring of references, are collected."""

    class Thing:
        pass

    thing = Thing()
    thing.clock, thing.handle = clock, after(clock, 1, lambda: thing)
    thing.handle = after(clock, 2, lambda held=thing: held)
    gone = weakref.ref(thing)
    own = testing.clock()
    own_thing = Thing()
    own_thing.clock = own
    own_thing.handle = after(own, 1, lambda held=own_thing: held)
    own_gone = weakref.ref(own_thing)
    del own, own_thing
    gc.collect()
    assert own_gone() is None
    assert gone() is thing


def test_no_call_beyond_the_end_of_the_clock(clock):
    """A time that the clock can't come to is refused, and nothing is kept of it."""
    for nanos in (2**60, 2**64, 2**100):
        with pytest.raises(OverflowError):
            clock._call_at(nanos, pytest.fail)
    assert clock._calls == 0
