"""Items of a generator: let in at the first, and everything that is sent comes through."""

import contextlib
import weakref

import pytest
import seawall

from tests.calls.given import GIVEN, TroubleError, raise_trouble


def test_items_and_the_end(items, patient, tally):
    """Items come through, and the end of the last is a success."""
    assert list(items()) == GIVEN
    assert tally(patient) == {"success": 1}


def test_the_return_value_is_kept(items):
    """`return` carries its value through `next`, `send` and `yield from`, whatever it is."""
    for end in (7, (1, 2), TroubleError("returned"), None):
        by_next, by_send = items(1, end=end), items(1, end=end)
        next(by_next)
        with pytest.raises(StopIteration) as stop:
            next(by_next)
        assert stop.value.value is end
        next(by_send)
        with pytest.raises(StopIteration) as stop:
            by_send.send(None)
        assert stop.value.value is end

        def outer(end=end):
            return (yield from items(1, end=end))

        steps = outer()
        assert next(steps) == 1
        with pytest.raises(StopIteration) as stop:
            next(steps)
        assert stop.value.value is end


def test_sent_values_arrive(items):
    """What is sent is what `yield` gives."""
    told = []
    generator = items(told=told)
    assert [next(generator), generator.send("a"), generator.send("b")] == GIVEN
    assert told == ["a", "b"]


def test_through_yield_from(items, patient, tally):
    """`yield from` sends, throws and closes through."""

    def outer(told):
        with contextlib.suppress(TroubleError):
            yield from items(told=told)
        yield from items(told=told)

    told = []
    error = TroubleError()
    steps = outer(told)
    next(steps)
    assert steps.send("sent") == 2
    assert steps.throw(error) == 1
    assert told == ["sent", error, "finally"]
    steps.close()
    assert told[3:] == ["finally"]
    assert tally(patient) == {"success": 2}


def test_nothing_is_asked_before_the_first_item(items, patient, tally):
    """Made, closed, dropped or thrown into before the first item, it never took anything."""
    patient.force_open()
    told = []
    fresh = [items(told=told) for _ in range(4)]
    fresh[0].close()
    with pytest.raises(TroubleError):
        fresh[1].throw(TroubleError())
    with pytest.raises(TypeError, match="can't send non-None value to a just-started generator"):
        fresh[2].send(1)
    for generator in fresh[:2]:
        assert list(generator) == []
    del generator, fresh
    assert told == []
    assert tally(patient) == {}


def test_a_value_too_early_begins_nothing(items, patient, tally):
    """After a refused `send` it can still be begun."""
    generator = items()
    with pytest.raises(TypeError):
        generator.send(1)
    with pytest.raises(TypeError, match="exceptions must"):
        generator.throw(7)
    assert tally(patient) == {}
    assert list(generator) == GIVEN
    assert tally(patient) == {"success": 1}


def test_refused_at_the_first_item(patient, tally):
    """An open circuit refuses at the first item, and the generator is over."""

    class Argument:
        """Something to hold."""

    @patient
    def items(argument):
        yield argument

    argument = Argument()
    watch = weakref.ref(argument)
    generator = items(argument)
    del argument
    patient.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        next(generator)
    assert generator.gi_frame is None
    patient.reset()
    before = tally(patient)
    assert list(generator) == []
    assert tally(patient) == before
    del generator
    assert watch() is None


def test_refusals_count(breaker, tally):
    """A refusal is one for each generator, whoever asks for the first item."""

    @breaker
    def items():
        yield 1

    breaker.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        list(items())
    with pytest.raises(seawall.CircuitOpenError):
        items().send(None)
    assert tally(breaker) == {"rejected": 2}


def test_it_cannot_come_back_into_itself(patient, tally):
    """Stepping, throwing and closing from inside is refused as ever, and settles nothing."""

    @patient
    def items():
        for again in (
            lambda: next(generator),
            lambda: generator.send(1),
            lambda: generator.throw(TroubleError()),
            generator.close,
        ):
            with pytest.raises(ValueError, match="generator already executing"):
                again()
            yield generator.gi_running

    generator = items()
    assert next(generator)
    assert tally(patient) == {"in_flight": 1}
    assert list(generator) == [True] * 3
    assert tally(patient) == {"success": 1}


def test_a_listener_cannot_step_what_is_being_let_in(breaker, clock):
    """A listener that is told of the admission finds the generator at work."""
    seen = []

    @breaker
    def items():
        yield 1

    breaker.force_open()
    breaker.reset()
    with contextlib.suppress(TroubleError):
        breaker.call(raise_trouble)
    clock.advance(11)
    generator = items()

    def listener(event):
        with pytest.raises(ValueError, match="already executing") as error:
            next(generator)
        seen.append(error)

    with seawall.subscribe(listener, kinds=["breaker.half_opened"]):
        assert list(generator) == [1]
    assert seen


def test_nested(patient, tally):
    """Protected generators inside of one another are each counted."""

    @patient
    def tree(depth):
        yield depth
        if depth:
            yield from tree(depth - 1)

    assert list(tree(3)) == [3, 2, 1, 0]
    assert tally(patient) == {"success": 4}
