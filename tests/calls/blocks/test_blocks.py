"""A block: how it ends, what it holds, what is inside of it."""

import contextlib

import pytest
import seawall

from tests.calls.blocks.ways import TroubleError, fail


def test_a_good_end_is_a_success(way, guard, patient, tally, finish):
    """A block that is left without an exception is a success; its value is the guard."""
    assert finish(way.inside(guard, lambda value: value)) is guard
    assert tally(patient) == {"success": 1}


def test_a_block_has_no_result_to_judge(way, finish, tally):
    """`on_result` is not asked: a block has no result."""
    breaker = seawall.CircuitBreaker("judging", on_result=lambda _: True)
    finish(way.inside(breaker, lambda _: None))
    assert tally(breaker) == {"success": 1}


def test_it_is_in_flight_while_inside(way, guard, patient, tally, finish):
    """What is inside of a block is in flight."""
    inside = finish(way.inside(guard, lambda _: tally(patient)))
    assert inside == {"in_flight": 1}


def test_an_exception_is_judged_and_goes_on(way, guard, patient, tally, finish):
    """An exception is judged like a call's, and never swallowed nor touched."""
    error = TroubleError("inside")

    def body(_):
        raise error

    with pytest.raises(TroubleError) as caught:
        finish(way.inside(guard, body))
    assert caught.value is error
    assert error.__context__ is None
    assert [entry.name for entry in caught.traceback][-2:] == ["inside", "body"]
    assert tally(patient) == {"failure": 1}


@pytest.mark.parametrize("neutral", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions_are_neutral(way, guard, patient, tally, finish, neutral):
    """What is not an `Exception` counts as cancelled."""

    def body(_):
        raise neutral

    with pytest.raises(neutral):
        finish(way.inside(guard, body))
    assert tally(patient) == {"cancelled": 1}


def test_a_refused_block_does_not_run(way, breaker, tally, finish):
    """An open circuit raises from the `with` line; nothing is held."""
    breaker.force_open()
    ran = []
    for _ in range(2):
        with pytest.raises(seawall.CircuitOpenError) as caught:
            finish(way.inside(breaker, ran.append))
        assert caught.traceback[-1].name == "inside"
    assert ran == []
    assert tally(breaker) == {"rejected": 2}


def test_a_refusal_further_in_gives_back_what_was_held(way, patient, breaker, tally, finish):
    """A pipeline whose inner policy refuses holds nothing of the outer one."""
    breaker.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        finish(way.inside(seawall.Pipeline("two", patient, breaker), fail))
    assert tally(patient) == {"ignored": 1}


def test_leaving_by_other_ways(guard, patient, tally):
    """`return`, `break` and `continue` leave a block well."""

    def function():
        with guard:
            return 1

    for _ in range(2):
        with guard:
            continue
    while True:
        with guard:
            break
    assert function() == 1
    assert tally(patient) == {"success": 4}


def test_nested_blocks_have_tickets_of_their_own(way, guard, patient, tally, finish):
    """A guard may be entered again inside of its own block."""

    def deeper(_, depth=5):
        if depth == 0:
            raise TroubleError
        with contextlib.suppress(TroubleError):
            finish(way.inside(guard, lambda value: deeper(value, depth - 1)))

    deeper(None)
    assert tally(patient) == {"failure": 1, "success": 4}


def test_two_guards_in_one_statement(patient, tally):
    """`with a, b:` enters both, also when both are one."""
    other = seawall.CircuitBreaker("other")
    with patient, other, patient:
        assert (tally(patient), tally(other)) == ({"in_flight": 2}, {"in_flight": 1})
    assert (tally(patient), tally(other)) == ({"success": 2}, {"success": 1})


def test_a_block_in_a_generator(guard, patient, tally):
    """A block that is suspended in a generator is in flight; closing the generator is neutral."""

    def items():
        with guard:
            yield 1
            yield 2

    assert list(items()) == [1, 2]
    one, two = items(), items()
    assert next(one) + next(two) == 2
    assert tally(patient) == {"success": 1, "in_flight": 2}
    one.close()
    with pytest.raises(TroubleError):
        two.throw(TroubleError())
    assert tally(patient) == {"success": 1, "cancelled": 1, "failure": 1}


def test_calls_inside_of_a_probes_block_ride_on_it(way, breaker, clock, finish):
    """What is called inside of a probe's block is part of the probe; what comes after is not."""
    breaker.try_call(fail, None)
    clock.advance(11)

    def body(_):
        assert breaker.state == "half_open"
        assert breaker.call(lambda: "rides") == "rides"
        assert finish(way.inside(breaker, lambda _: "rides too")) == "rides too"

    finish(way.inside(breaker, body))
    assert breaker.state == "closed"


def test_a_failed_probe_opens_again(way, breaker, clock, finish):
    """The exception of a probe's block is the probe's."""
    breaker.try_call(fail, None)
    clock.advance(11)
    with pytest.raises(TroubleError):
        finish(way.inside(breaker, fail))
    assert breaker.state == "open"


def test_what_is_in_force_is_asked(patient, tally):
    """A block enters and is judged by the settings that are in force at its start."""
    with patient:
        patient.reconfigure(on=KeyError)
    with pytest.raises(ValueError), patient:  # noqa: PT011  any
        raise ValueError
    assert tally(patient) == {"success": 2}


def test_slow_blocks(way, clock, finish):
    """The time inside of a block is measured."""
    breaker = seawall.CircuitBreaker("slow", slow_call_rate=1.0, slow_call_duration=5)
    finish(way.inside(breaker, lambda _: clock.advance(6)))
    assert breaker.snapshot().counts["slow"] == 1


def test_a_listener_that_uses_the_guard(way, finish):
    """A listener may enter the guard that tells it."""
    told = []

    def listen(event):
        told.append(event.kind)
        with contextlib.suppress(seawall.CircuitOpenError), breaker:
            pass

    breaker = seawall.CircuitBreaker("told", failure_threshold=1, on_event=listen)
    with pytest.raises(TroubleError):
        finish(way.inside(breaker, fail))
    assert told == ["breaker.opened"]


def test_a_keyed_block(way, finish):
    """`block(key=…)` names the state that a block of a keyed policy belongs to; bare ones can't."""
    breaker = seawall.CircuitBreaker("keyed", key="host", failure_threshold=1)
    with pytest.raises(TroubleError):
        finish(way.inside(breaker.block(key="a"), fail))
    with pytest.raises(seawall.CircuitOpenError):
        finish(way.inside(breaker.block(key="a"), fail))
    finish(way.inside(breaker.block(key="b"), lambda _: None))
    with pytest.raises(TypeError, match="block"):
        finish(way.inside(breaker, fail))
