"""Items of an async generator: let in at the first, and everything that is sent comes through."""

import contextlib
import gc
import inspect
import sys
import weakref

import pytest
import seawall

from tests.calls.async_generators.given import collect
from tests.calls.given import GIVEN, TroubleError


def test_items_and_the_end(items, patient, tally, finish):
    """Items come through, and the end is a success."""
    assert finish(collect(items())) == GIVEN
    assert tally(patient) == {"success": 1}


def test_items_of_all_sorts(patient, finish):
    """Tuples, exceptions and None are items like any other."""
    given = [None, (1, 2), (), TroubleError(), StopIteration(7), 0]

    @patient
    async def items():
        for item in given:
            yield item

    assert finish(collect(items())) == given


def test_sent_values_arrive(items, finish):
    """What is sent is what `yield` gives."""
    told = []

    async def main():
        generator = items(told=told)
        return [await anext(generator), await generator.asend("a"), await generator.asend("b")]

    assert finish(main()) == GIVEN
    assert told == ["a", "b", "finally"]


def test_anext_and_its_default(items, finish):
    """`anext` with and without a default."""

    async def main():
        generator = items(1)
        got = [await anext(generator), await anext(generator, "none"), await anext(generator, 7)]
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        return got

    assert finish(main()) == [1, "none", 7]


def test_nothing_is_asked_before_the_first_item(items, patient, tally, finish):
    """Made, closed, dropped or thrown into before the first item, it never took anything."""
    patient.force_open()

    async def main():
        await items().aclose()
        with pytest.raises(TroubleError):
            await items().athrow(TroubleError())
        generator = items()
        with pytest.raises(TypeError, match="can't send non-None value to a just-started async"):
            await generator.asend(1)
        items()
        step = anext(items())
        step.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
            await step
        return generator

    generator = finish(main())
    assert tally(patient) == {}
    patient.reset()
    assert finish(collect(generator)) == GIVEN
    assert tally(patient) == {"success": 1}


def test_made_and_not_awaited(items, patient, tally):
    """What is asked for and never awaited asks nobody; Python says so from 3.13 on."""
    generator = items()
    warns = (
        pytest.warns(RuntimeWarning, match="'asend' of 'items.*items' was never awaited")
        if sys.version_info >= (3, 13)
        else contextlib.nullcontext()
    )
    with warns:
        generator.__anext__()
    assert tally(patient) == {}


def test_refused_at_the_first_item(patient, tally, finish):
    """An open circuit refuses at the first item; the generator is over."""

    class Argument:
        """Something to hold."""

    @patient
    async def items(argument):
        yield argument

    argument = Argument()
    watch = weakref.ref(argument)
    generator = items(argument)
    del argument
    patient.force_open()

    async def main(generator):
        with pytest.raises(seawall.CircuitOpenError):
            await anext(generator)
        patient.reset()
        assert await collect(generator) == []
        assert await generator.aclose() is None
        assert await generator.athrow(TroubleError()) is None
        assert await anext(generator, 7) == 7

    finish(main(generator))
    assert generator.ag_frame is None
    assert tally(patient) in ({}, {"rejected": 1})
    del generator
    gc.collect()
    assert watch() is None


@pytest.mark.parametrize("ask", ["athrow", "aclose"])
@pytest.mark.parametrize("give_up", ["close", "send", "throw", "await"])
def test_asked_before_the_refusal(patient, items, tally, finish, ask, give_up):
    """What was asked before the first item was refused comes to nothing, however it is ended."""
    patient.force_open()
    generator = items()
    later = generator.aclose() if ask == "aclose" else generator.athrow(TroubleError)
    other = generator.aclose()
    with pytest.raises(seawall.CircuitOpenError):
        finish(generator.__anext__())
    if give_up == "close":
        assert later.close() is None
    elif give_up == "await":
        assert finish(later) is None
    else:
        step = later.send if give_up == "send" else later.throw
        with pytest.raises(StopIteration):
            step(None if give_up == "send" else TroubleError())
    assert later.close() is None
    with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
        later.send(None)
    assert other.close() is None
    assert tally(patient) == {"rejected": 1}


def test_asked_before_the_first_item_and_given_up(items, patient, tally, finish):
    """A closing and a throwing that were asked for and given up settle nothing twice."""
    generator = items()
    closes, throws, first = (
        generator.aclose(),
        generator.athrow(TroubleError),
        generator.__anext__(),
    )
    assert finish(first) == 1
    assert throws.close() is None
    assert closes.close() is None
    finish(generator.aclose())
    assert tally(patient) == {"success": 1}


def test_a_refused_one_never_reaches_the_hooks(patient, finish):
    """The event loop hears of generators that have begun, and of no others."""

    @patient
    async def items():
        yield 1

    met = []

    async def main():
        sys.set_asyncgen_hooks(firstiter=met.append)
        generator = items()
        with pytest.raises(seawall.CircuitOpenError):
            await anext(generator)
        async with contextlib.aclosing(generator):
            assert await collect(generator) == []
        assert met == []
        patient.reset()
        assert await collect(items()) == [1]

    hooks = sys.get_asyncgen_hooks()
    patient.force_open()
    try:
        finish(main())
    finally:
        sys.set_asyncgen_hooks(*hooks)
    [inner] = met
    assert inspect.isasyncgen(inner)


def test_a_hook_that_fails(items, patient, tally, finish):
    """An event loop that refuses the generator leaves it as if its first item was never had."""

    def refuse(generator):
        raise LookupError

    async def main():
        generator = items()
        sys.set_asyncgen_hooks(firstiter=refuse)
        with pytest.raises(LookupError):
            await anext(generator)

    hooks = sys.get_asyncgen_hooks()
    try:
        finish(main())
    finally:
        sys.set_asyncgen_hooks(*hooks)
    assert tally(patient) == {"cancelled": 1}
