"""Halves of a block that are called without a statement."""

import asyncio
import contextlib
import inspect

import pytest
import seawall

from tests.calls.blocks.ways import NONE, TroubleError


def test_entered_by_hand(way, guard, patient, tally, finish):
    """`__enter__()` and `__exit__()` by hand come to the same, nested too."""
    enter, leave = way.halves

    async def main():
        assert await way.by_hand(getattr(guard, enter)) is guard
        await way.by_hand(getattr(guard, enter))
        error = TroubleError()
        told = (TroubleError, error, None)
        assert not await way.by_hand(getattr(guard, leave), *told)
        assert tally(patient) == {"failure": 1, "in_flight": 1}
        assert not await way.by_hand(getattr(guard, leave), *NONE)

    finish(main())
    assert tally(patient) == {"failure": 1, "success": 1}


def test_by_hand_around_a_block(guard, patient, tally):
    """A block inside of an entry made by hand exits its own."""
    guard.__enter__()
    with pytest.raises(TroubleError), guard:
        raise TroubleError
    assert tally(patient) == {"failure": 1, "in_flight": 1}
    guard.__exit__(*NONE)
    assert tally(patient) == {"failure": 1, "success": 1}


def test_an_exit_without_an_entry_is_refused(way, guard, patient, tally, finish):
    """Exiting what is not entered by hand says so, and takes nothing from a block around it."""
    _, leave = way.halves

    async def exit_too_much(_=None):
        with pytest.raises(RuntimeError, match="is not entered"):
            await way.by_hand(getattr(guard, leave), *NONE)

    finish(exit_too_much())
    finish(way.inside(guard, lambda _: finish(exit_too_much())))
    finish(way.by_hand(getattr(guard, way.halves[0])))
    finish(way.by_hand(getattr(guard, leave), *NONE))
    finish(exit_too_much())
    assert tally(patient) == {"success": 2}


def test_by_hand_each_task_exits_its_own(way, clock):
    """Tasks that take turns on one thread don't take one another's entries."""
    breaker = seawall.CircuitBreaker("slow", slow_call_rate=1.0, slow_call_duration=5)
    enter, leave = way.halves

    async def task(begun, go_on):
        await way.by_hand(getattr(breaker, enter))
        begun.set()
        await go_on.wait()
        await way.by_hand(getattr(breaker, leave), *NONE)

    async def main():
        events = [asyncio.Event() for _ in range(4)]
        slow = asyncio.create_task(task(events[0], events[1]))
        await events[0].wait()
        clock.advance(6)
        quick = asyncio.create_task(task(events[2], events[3]))
        await events[2].wait()
        events[1].set()
        await slow
        assert breaker.snapshot().counts["slow"] == 1
        events[3].set()
        await quick

    asyncio.run(main())
    assert breaker.snapshot().counts["slow"] == 1


def test_halves_that_were_fetched_before_and_kept(way, guard, patient, tally, finish):
    """A pair that was fetched once may be used again, also inside of itself."""
    enter, leave = (getattr(guard, half) for half in way.halves)

    async def main():
        for _ in range(3):
            await way.by_hand(enter)
            await way.by_hand(enter)
            await way.by_hand(leave, TroubleError, TroubleError(), None)
            await way.by_hand(leave, *NONE)

    finish(main())
    assert tally(patient) == {"failure": 3, "success": 3}


def test_halves_of_the_class_that_were_kept(way, patient, tally, finish):
    """So may a pair of the class, as instrumentation keeps it, for any guard."""
    enter, leave = (getattr(seawall.CircuitBreaker, half) for half in way.halves)
    other = seawall.CircuitBreaker("other")

    async def main():
        for _ in range(3):
            await way.by_hand(enter, patient)
            await way.by_hand(enter, other)
            await way.by_hand(leave, patient, *NONE)
            await way.by_hand(leave, other, TroubleError, TroubleError(), None)

    finish(main())
    assert tally(patient) == {"success": 3}
    assert tally(other) == {"failure": 3}


def test_an_exit_that_was_kept_is_not_taken_for_anothers(patient, tally):
    """`push(p.__exit__)` before a block of the same guard leaves the block its own exit."""
    with contextlib.ExitStack() as stack:
        patient.__enter__()
        stack.push(patient.__exit__)
        with pytest.raises(TroubleError), patient:
            raise TroubleError
        stack.enter_context(patient)
        patient.__enter__()
        stack.push(patient)
        assert tally(patient) == {"failure": 1, "in_flight": 3}
    assert tally(patient) == {"failure": 1, "success": 3}


def test_what_a_half_is_called_with(patient):
    """Each half takes what it is told, and nothing else."""
    for wrong in [
        lambda: patient.__enter__(1),
        lambda: patient.__enter__(*NONE),
        lambda: patient.__exit__(),
        lambda: patient.__exit__(None, None),
        lambda: patient.__enter__(key=1),
        lambda: type(patient).__enter__(),
        lambda: type(patient).__enter__(1),
        lambda: type(patient).__exit__(patient),
        lambda: inspect.getattr_static(patient, "__enter__").__get__(1),
    ]:
        with pytest.raises(TypeError):
            wrong()
    patient.__enter__()
    with pytest.raises(TypeError):
        patient.__exit__(1, 2, 3)
    patient.__exit__(None, None, None)


def test_awaited_twice(patient, finish, tally):
    """What `__aenter__()` gives is awaited once."""
    entry = patient.__aenter__()
    assert finish(entry) is patient
    with pytest.raises(TypeError, match="call __aenter__"):
        finish(patient.__aenter__)
    with pytest.raises(RuntimeError, match="already awaited"):
        finish(entry)
    finish(patient.__aexit__(*NONE))
    assert tally(patient) == {"success": 1}


def test_never_awaited(patient, tally, finish):
    """What `__aenter__()` gives asks nobody before it is awaited."""
    patient.__aenter__()
    assert tally(patient) == {}
    with pytest.raises(RuntimeError, match="is not entered"):
        patient.__aexit__(*NONE)


def test_thrown_away(guard, patient, tally):
    """A block that never comes to its exit is settled as dropped."""

    def items():
        with guard:
            yield

    generator = items()
    next(generator)
    assert tally(patient) == {"in_flight": 1}
    del generator
    assert tally(patient) == {"cancelled": 1}
    enter, leave = type(guard).__enter__, type(guard).__exit__
    enter(guard)
    assert enter is leave
    del enter, leave
    assert tally(patient) == {"cancelled": 2}
