"""How a generator ends: by itself, by a failure, or left by its consumer."""

import contextlib
import gc
import sys

import pytest
import seawall

from tests.calls.given import TroubleError, half_open


def test_failures_count(patient, tally):
    """What it raises, before the first item or after, is a failure and comes through."""

    @patient
    def items(good):
        yield from range(good)
        raise TroubleError

    for good in (0, 2):
        with pytest.raises(TroubleError):
            list(items(good))
    assert tally(patient) == {"failure": 2}


def test_failures_open_the_circuit(breaker):
    """A generator that fails while it is consumed opens the circuit."""

    @breaker
    def items():
        yield 1
        raise TroubleError

    with pytest.raises(TroubleError):
        list(items())
    assert breaker.state == "open"


@pytest.mark.parametrize("leave", ["close", "break", "drop", "collect", "throw"])
def test_left_after_an_item(items, patient, tally, leave):
    """Whoever had an item may leave: the work was done."""
    told = []
    generator = items(told=told)
    error = TroubleError()
    if leave == "break":
        for _ in generator:
            break
    else:
        next(generator)
    assert tally(patient) == {"in_flight": 1}
    if leave == "close":
        generator.close()
    elif leave == "throw":
        with pytest.raises(TroubleError) as raised:
            generator.throw(error)
        assert raised.value is error
    elif leave == "collect":
        cycle = [generator]
        cycle.append(cycle)
        del cycle
    del generator
    gc.collect()
    assert told[-1] == "finally"
    assert tally(patient) == {"success": 1}


@pytest.mark.parametrize("stop", [StopIteration, StopAsyncIteration])
def test_a_stop_thrown_in_is_the_consumers_leaving(patient, items, tally, stop):
    """A stop may not come out of a generator as one, but the error in its place is no failure."""
    generator = items()
    assert next(generator) == 1
    with pytest.raises((RuntimeError, stop)):
        generator.throw(stop("the consumer's"))
    assert tally(patient) == {"success": 1}


def test_leaving_by_the_exceptions_class(items, patient, tally):
    """`throw(Class)`, and with value and traceback, is known again as well."""
    one, other = items(), items()
    next(one), next(other)
    with pytest.raises(TroubleError):
        one.throw(TroubleError)
    warns = contextlib.nullcontext()
    if sys.version_info >= (3, 12):
        warns = pytest.warns(DeprecationWarning, match="signature of throw")
    error = TroubleError()
    with pytest.raises(TroubleError), warns:
        other.throw(TroubleError, error, None)
    assert tally(patient) == {"success": 2}


def test_another_exception_is_its_own(patient, tally):
    """A consumer's exception that is answered by another one is a failure."""

    @patient
    def items():
        try:
            yield 1
        except TroubleError as error:
            raise LookupError from error

    generator = items()
    next(generator)
    with pytest.raises(LookupError):
        generator.throw(TroubleError())
    assert tally(patient) == {"failure": 1}


def test_an_exception_that_is_handled(patient, tally):
    """A consumer's exception may be answered by an item, or by the end."""

    @patient
    def items():
        for _ in range(2):
            with contextlib.suppress(TroubleError):
                yield 1
        return 7

    generator = items()
    next(generator)
    assert generator.throw(TroubleError()) == 1
    assert tally(patient) == {"in_flight": 1}
    with pytest.raises(StopIteration) as stop:
        generator.throw(TroubleError())
    assert stop.value.value == 7
    assert tally(patient) == {"success": 1}


def test_a_cleanup_that_fails(patient, tally):
    """Closing it is a success; a cleanup that raises is a failure, and comes through."""

    @patient
    def items():
        try:
            yield 1
        finally:
            raise TroubleError

    generator = items()
    next(generator)
    with pytest.raises(TroubleError):
        generator.close()
    assert tally(patient) == {"failure": 1}


def test_one_that_refuses_to_be_closed(patient, tally):
    """A generator that ignores GeneratorExit goes on, and nothing is settled."""

    @patient
    def items():
        with contextlib.suppress(GeneratorExit):
            yield 1
        yield 2

    generator = items()
    next(generator)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        generator.close()
    assert tally(patient) == {"in_flight": 1}
    assert list(generator) == []
    assert tally(patient) == {"success": 1}


def test_arguments_that_are_no_exception(items, patient, tally):
    """`throw` of what is no exception leaves it as it is."""
    generator = items()
    next(generator)
    with pytest.raises(TypeError, match="exceptions must"):
        generator.throw(7)
    with pytest.raises(TypeError, match="expected at least 1"):
        generator.throw()
    assert tally(patient) == {"in_flight": 1}
    assert list(generator) == [2, 3]
    assert tally(patient) == {"success": 1}


def test_results_are_judged(tally):
    """`on_result` is asked about the return value, and not about what was left."""
    asked = []

    def judge(value):
        asked.append(value)
        return value == "bad"

    breaker = seawall.CircuitBreaker(failure_threshold=60_000, on_result=judge)

    @breaker
    def items(end):
        yield 1
        return end

    for end in ("good", "bad"):
        list(items(end))
    next(items("left"))
    assert asked == ["good", "bad"]
    assert tally(breaker) == {"success": 2, "failure": 1}


def test_consumers_time_does_not_count(clock, tally):
    """Only the time between asking for an item and getting it is the generator's."""
    breaker = seawall.CircuitBreaker(
        slow_call_rate=1.0, slow_call_duration=10, min_calls=60_000, window=seawall.calls(60_000)
    )

    @breaker
    def items(takes):
        for _ in range(3):
            clock.advance(takes)
            yield 1

    for _ in items(3):
        clock.advance(100)
    assert tally(breaker) == {"success": 1}
    for _ in items(4):
        pass
    for takes, leave in ((9, 1), (6, 2)):
        left = items(takes)
        for _ in range(leave):
            next(left)
            clock.advance(100)
        del left
    assert tally(breaker) == {"success": 4, "slow": 2}


def test_a_probe_at_rest_has_nobody_inside(breaker, clock):
    """Calls made inside of a probe ride along; those of its consumer, while it rests, do not."""
    inside = []

    @breaker
    def items():
        for _ in range(2):
            inside.append(breaker.call(int))
            yield 1

    half_open(breaker, clock)
    generator = items()
    next(generator)
    with pytest.raises(seawall.CircuitOpenError):
        breaker.call(int)
    next(generator)
    with pytest.raises(seawall.CircuitOpenError):
        breaker.call(int)
    assert inside == [0, 0]
    assert breaker.state == "half_open"
    generator.close()
    assert breaker.state == "closed"


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_a_probe_that_is_left(breaker, clock, leave):
    """A probe left after an item closes the circuit; its cleanup is still inside."""
    inside = []

    @breaker
    def items():
        try:
            yield 1
        finally:
            inside.append(breaker.call(int))

    half_open(breaker, clock)
    generator = items()
    next(generator)
    if leave == "close":
        generator.close()
    del generator
    assert inside == [0]
    assert breaker.state == "closed"
