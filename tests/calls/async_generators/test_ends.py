"""How an async generator ends: by itself, by a failure, or left by its consumer."""

import asyncio
import contextlib
import gc

import pytest

from tests.calls.async_generators.given import collect
from tests.calls.given import TroubleError


def test_failures_count(patient, tally, finish, pause):
    """What it raises, before the first item or after, is a failure and comes through."""

    @patient
    async def items(good):
        for item in range(good):
            yield item
        await pause()
        raise TroubleError

    for good in (0, 2):
        with pytest.raises(TroubleError):
            finish(collect(items(good)))
    assert tally(patient) == {"failure": 2}


@pytest.mark.parametrize(
    "leave", ["aclose", "aclosing", "drop", "collect", "athrow", "class", "stop"]
)
def test_left_after_an_item(items, patient, tally, finish, leave):
    """Whoever had an item may leave: the work was done."""
    told = []

    async def main():
        generator = items(told=told)
        error = TroubleError()
        assert await anext(generator) == 1
        assert tally(patient) == {"in_flight": 1}
        if leave == "aclose":
            await generator.aclose()
        elif leave == "aclosing":
            async with contextlib.aclosing(generator):
                async for _ in generator:
                    break
        elif leave == "athrow":
            with pytest.raises(TroubleError) as raised:
                await generator.athrow(error)
            assert raised.value is error
        elif leave == "class":
            with pytest.raises(TroubleError):
                await generator.athrow(TroubleError)
        elif leave == "stop":
            with pytest.raises(RuntimeError):
                await generator.athrow(StopAsyncIteration("the consumer's"))
        elif leave == "collect":
            cycle = [generator]
            cycle.append(cycle)
            del cycle
        del generator
        gc.collect()

    finish(main())
    assert told[-1] == "finally"
    assert tally(patient) == {"success": 1}


def test_another_exception_is_its_own(patient, tally, finish):
    """A consumer's exception that is answered by another one is a failure."""

    @patient
    async def items():
        try:
            yield 1
        except TroubleError as error:
            raise LookupError from error

    async def main():
        generator = items()
        await anext(generator)
        with pytest.raises(LookupError):
            await generator.athrow(TroubleError())

    finish(main())
    assert tally(patient) == {"failure": 1}


def test_an_exception_that_is_handled(patient, tally, finish):
    """A consumer's exception may be answered by an item, or by the end."""

    @patient
    async def items():
        for _ in range(2):
            with contextlib.suppress(TroubleError):
                yield 1

    async def main():
        generator = items()
        await anext(generator)
        assert await generator.athrow(TroubleError()) == 1
        assert tally(patient) == {"in_flight": 1}
        with pytest.raises(StopAsyncIteration):
            await generator.athrow(TroubleError())

    finish(main())
    assert tally(patient) == {"success": 1}


def test_a_cleanup_that_waits_and_fails(patient, tally, finish, pause):
    """Closing may wait; a cleanup that raises is a failure, and comes through."""

    @patient
    async def items(fails):
        try:
            yield 1
        finally:
            await pause()
            if fails:
                raise TroubleError

    async def main(fails):
        generator = items(fails)
        await anext(generator)
        await generator.aclose()

    finish(main(False))
    with pytest.raises(TroubleError):
        finish(main(True))
    assert tally(patient) == {"success": 1, "failure": 1}


def test_one_that_refuses_to_be_closed(patient, tally, finish):
    """A generator that ignores GeneratorExit is not settled before it is gone."""

    @patient
    async def items():
        with contextlib.suppress(GeneratorExit):
            yield 1
        yield 2

    async def main():
        generator = items()
        await anext(generator)
        with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
            await generator.aclose()
        assert tally(patient) == {"in_flight": 1}

    finish(main())
    assert tally(patient) == {"success": 1}


@pytest.mark.parametrize("how", ["close", "drop"])
@pytest.mark.parametrize("after", [0, 1])
def test_given_up_in_the_middle_of_an_item(items, patient, tally, finish, how, after):
    """A step that is closed or dropped while the generator waits ends the call, cancelled."""
    generator = items()
    for _ in range(after):
        finish(anext(generator))
    step = anext(generator)
    step.send(None)
    assert tally(patient) == {"in_flight": 1}
    if how == "close":
        step.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
            step.send(None)
    del step
    assert tally(patient) == {"cancelled": 1}
    with pytest.raises((StopAsyncIteration, RuntimeError)):
        finish(anext(generator))
    del generator
    assert tally(patient) == {"cancelled": 1}


def test_cancelled_in_the_middle_of_an_item(items, patient, tally):
    """CancelledError at a suspension point is neutral."""
    step = anext(items())
    step.send(None)
    with pytest.raises(asyncio.CancelledError):
        step.throw(asyncio.CancelledError())
    assert tally(patient) == {"cancelled": 1}


def test_a_failure_thrown_where_it_waits(items, patient, tally):
    """What the loop throws in where it waits is how its own calls fail: that counts."""
    step = anext(items())
    step.send(None)
    with pytest.raises(TroubleError):
        step.throw(TroubleError())
    assert tally(patient) == {"failure": 1}
