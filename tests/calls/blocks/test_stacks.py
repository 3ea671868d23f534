"""Blocks that a stack enters and exits."""

import asyncio
import contextlib

import pytest
import seawall

from tests.calls.blocks.ways import TroubleError


def test_a_stack_keeps_entries_apart(way, patient, tally, finish):
    """`ExitStack` enters and exits like the statement, the same guard many times."""

    async def main():
        stack = way.stack()
        for _ in range(3):
            assert await way.enter(stack, patient) is patient
        assert tally(patient) == {"in_flight": 3}
        kept = stack.pop_all()
        await way.close(stack)
        assert tally(patient) == {"in_flight": 3}
        await way.close(kept)
        assert tally(patient) == {"success": 3}

    finish(main())


def test_a_stack_tells_of_exceptions(patient, tally):
    """What is raised under a stack is judged."""

    def function():
        with contextlib.ExitStack() as stack:
            stack.enter_context(patient)
            raise TroubleError

    with pytest.raises(TroubleError):
        function()
    assert tally(patient) == {"failure": 1}


def test_a_stack_that_is_refused_holds_nothing(way, breaker, tally, finish):
    """Entering an open circuit by a stack raises, and leaves nothing on it."""
    breaker.force_open()

    async def main():
        stack = way.stack()
        with pytest.raises(seawall.CircuitOpenError):
            await way.enter(stack, breaker)
        await way.close(stack)

    finish(main())
    assert tally(breaker) == {"rejected": 1}


def test_a_stack_closed_in_another_task(way, patient, tally):
    """A stack may be closed by another task than the one that filled it."""

    async def main():
        stack = way.stack()
        other = way.stack()
        await asyncio.create_task(way.enter(stack, patient))
        await asyncio.create_task(way.enter(other, patient))
        await asyncio.create_task(way.close(stack))
        assert tally(patient) == {"success": 1, "in_flight": 1}
        await asyncio.create_task(way.close(other))

    asyncio.run(main())
    assert tally(patient) == {"success": 2}
