"""What a protected coroutine returns arrives as it is, and is kept by nobody."""

import asyncio
import sys
import types
import weakref

import pytest

RESULTS = [
    None,
    (),
    (1, 2),
    ((1,),),
    ValueError("a value"),
    ValueError,
    StopIteration(3),
    StopIteration,
    KeyboardInterrupt(),
    [1],
    object(),
]


@pytest.mark.parametrize("result", RESULTS, ids=range(len(RESULTS)))
def test_results_arrive_by_every_way(patient, finish, result):
    """Whatever is returned arrives as it is: by await, by send, by next, and by throw."""

    @patient
    async def function():
        return result

    @patient
    async def thrown_at(pause):
        try:
            await pause()
        except ValueError:
            return result

    async def outer():
        return await function()

    assert finish(outer()) is result
    with pytest.raises(StopIteration) as stop:
        function().send(None)
    assert stop.value.value is result
    with pytest.raises(StopIteration) as stop:
        next(function().__await__())
    assert stop.value.value is result
    assert stop.value.args == (() if result is None else (result,))

    @types.coroutine
    def one():
        yield

    coroutine = thrown_at(one)
    coroutine.send(None)
    with pytest.raises(StopIteration) as stop:
        coroutine.throw(ValueError)
    assert stop.value.value is result
    assert asyncio.run(function()) is result


def test_a_result_is_let_go(patient):
    """Neither the finished coroutine nor the machinery keeps a result or a frame alive."""

    class Result:
        pass

    @patient
    async def function():
        return Result()

    async def awaits():
        return weakref.ref(await function())

    def by_next():
        local = Result()
        coroutine = function()
        try:
            next(coroutine.__await__())
        except StopIteration as stop:
            return weakref.ref(stop.value), weakref.ref(local)
        return None

    def by_next_of_a_temporary():
        try:
            next(function().__await__())
        except StopIteration as stop:
            return weakref.ref(stop.value)
        return None

    assert asyncio.run(awaits())() is None
    assert [ref() for ref in by_next()] == [None, None]
    assert by_next_of_a_temporary()() is None


def test_nested(patient, tally, pause, finish):
    """Protected coroutines await one another; each is counted."""

    @patient
    async def inner(x):
        return await pause(x) or x

    @patient
    async def outer(x):
        return await inner(x) + await inner(x + 1)

    assert finish(outer(1)) == 3
    assert tally(patient) == {"success": 3}


def test_an_old_style_coroutine(patient, tally, finish):
    """A generator that `types.coroutine` made awaitable is a coroutine function."""

    @patient
    @types.coroutine
    def function():
        return (yield) or 7

    assert finish(function()) == 7
    assert tally(patient) == {"success": 1}


def test_call_frees_the_arguments(waiting, patient):
    """A finished coroutine keeps neither its arguments nor the function's frame."""

    class Argument:
        pass

    @patient
    async def function(argument):
        return 1

    argument = Argument()
    reference = weakref.ref(argument)
    coroutine = function(argument)
    del argument
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert reference() is None
    assert sys.getrefcount(coroutine) == 2
