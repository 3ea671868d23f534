"""A timeout on a plain function: it can't be stopped, and is told what time is left."""

import time

import pytest
import seawall


def test_a_deadline_holds_inside(clock, counts):
    """Clients can be told what is left; outside there is no deadline, nor after an error."""
    timeout = seawall.Timeout(3, name="call")

    @timeout
    def work(fails):
        clock.advance(1)
        left = seawall.remaining()
        if fails:
            raise KeyError(left)
        return left

    assert work(False) == 2.0
    with pytest.raises(KeyError, match=r"2\.0"):
        work(True)
    assert seawall.remaining() is None
    assert counts(timeout) == {"in_time": 1, "other": 1}


def test_a_late_result_is_returned(clock, counts, told):
    """The effect has happened: the result is the caller's, and an event says that it was late."""
    timeout = seawall.Timeout(3, name="call")
    heard = []
    timeout.reconfigure(on_event=heard.append)

    @timeout
    def work():
        clock.advance(4)
        return "done"

    assert work() == "done"
    assert counts(timeout) == {"late": 1}
    (event,) = told
    assert heard == [event]
    assert isinstance(event, seawall.TimeoutLate)
    assert (event.kind, event.policy, event.name) == ("timeout.late", "timeout", "call")
    assert (event.elapsed, event.limit, event.seq) == (4.0, 3.0, 1)


def test_a_late_error_is_raised(clock, counts, told):
    """What the call raised is what its caller has to know."""
    timeout = seawall.Timeout(3)

    @timeout
    def work():
        clock.advance(4)
        raise KeyError(1)

    with pytest.raises(KeyError):
        work()
    assert counts(timeout) == {"other": 1}
    assert told == []


def test_a_check_inside(clock, counts, told):
    """Who asks inside and gives up is out of the timeout's time: its caller hears of that."""
    timeout = seawall.Timeout(3, name="call")

    @timeout
    def work():
        clock.advance(4)
        seawall.deadline.check()

    with pytest.raises(seawall.CallTimeoutError) as caught:
        work()
    error = caught.value
    assert (error.name, error.limit, error.elapsed) == ("call", 3.0, 4.0)
    assert isinstance(error.__cause__, seawall.DeadlineExceededError)
    assert error.__cause__.name == "call"
    assert counts(timeout) == {"timed_out": 1}
    assert told.kinds == ["timeout.timed_out"]
    assert isinstance(told[0], seawall.TimeoutTimedOut)


@pytest.mark.parametrize("around", [True, False])
def test_a_check_of_another_deadline(clock, counts, around):
    """A deadline that passed around it, or inside, raises its own error."""
    timeout = seawall.Timeout(9, name="call")

    def check():
        clock.advance(4)
        seawall.deadline.check()

    def inside():
        with seawall.deadline(3, name="other"):
            check()

    with pytest.raises(seawall.DeadlineExceededError) as caught:
        if around:
            with seawall.deadline(3, name="other"):
                timeout.call(check)
        else:
            timeout.call(inside)
    assert caught.value.name == "other"
    assert counts(timeout) == {"other": 1}
    assert seawall.remaining() is None


def test_the_earliest_names_itself(clock):
    """Of nested timeouts the one whose time was over raises, at its own call."""
    outer, inner = seawall.Timeout(3, name="outer"), seawall.Timeout(9, name="inner")

    def check():
        clock.advance(4)
        seawall.deadline.check()

    with pytest.raises(seawall.CallTimeoutError) as caught:
        outer.call(lambda: inner.call(check))
    assert caught.value.name == "outer"
    assert inner.snapshot().counts["other"] == 1
    assert seawall.remaining() is None


def test_recursion(clock):
    """A function that calls itself has each call's own time, and the earliest holds."""

    @seawall.timeout(3)
    def work(depth):
        clock.advance(1)
        if depth:
            return [*work(depth - 1), seawall.remaining()]
        return [seawall.remaining()]

    assert work(2) == [0.0, 0.0, 0.0]


def test_single_calls(clock, counts):
    """`call` and `try_call`."""
    timeout = seawall.Timeout(3)

    def check(seconds):
        clock.advance(seconds)
        seawall.deadline.check()
        return seawall.remaining()

    assert timeout.call(check, 1) == 2.0
    outcome = timeout.try_call(check, seconds=4)
    assert isinstance(outcome.error, seawall.CallTimeoutError)
    assert outcome.elapsed == 4.0
    assert counts(timeout) == {"in_time": 1, "timed_out": 1}


def test_methods(clock):
    """Of each sort."""

    class Service:
        @seawall.timeout(3)
        def method(self):
            return seawall.remaining()

        @classmethod
        @seawall.timeout(4)
        def of_class(cls):
            return seawall.remaining()

        @seawall.timeout(5)
        @staticmethod
        def static():
            return seawall.remaining()

    assert (Service().method(), Service.of_class(), Service.static()) == (3.0, 4.0, 5.0)


def test_on_the_machines_clock():
    """Without a test's clock it goes by the machine's."""
    timeout = seawall.Timeout(0.001)
    timeout.call(time.sleep, 0.005)
    timeout.call(int)
    assert timeout.snapshot().counts["late"] >= 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interrupted(counts, stop):
    """Ctrl-C and its kin pass as they are."""
    timeout = seawall.Timeout(3)

    def work():
        raise stop

    with pytest.raises(stop):
        timeout.call(work)
    assert seawall.remaining() is None
    assert counts(timeout) == {"other": 1}
