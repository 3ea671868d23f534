"""Plain functions that give back an awaitable: its end is the call's end."""

import asyncio
import functools
from unittest import mock

import pytest
import seawall

from tests.calls.awaitables import Awaitable


async def work(value=7):
    """Suspends and returns, or raises what it is given."""
    await asyncio.sleep(0)
    if isinstance(value, BaseException):
        raise value
    return value


class Client:
    """An async client in the shapes that such things have."""

    async def __call__(self, value=7):
        """Calls."""
        return await work(value)

    async def get(self, value=7):
        """Gets."""
        return await work(value)


SHAPES = {
    "lambda": lambda value=7: work(value),
    "lambda around a client": lambda value=7: Client().get(value),
    "partial": functools.partial(work),
    "nested partial": functools.partial(functools.partial(work)),
    "partial of a lambda": functools.partial(lambda value=7: work(value)),
    "async __call__": Client(),
    "partial of an async __call__": functools.partial(Client()),
    "bound method": Client().get,
    "awaitable object": Awaitable,
    "wraps": functools.wraps(work)(lambda value=7: work(value)),
}
SHAPES["awaitable object"] = lambda value=7: Awaitable(value)


@pytest.mark.parametrize("way", ["decorated", "call"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_counted_at_its_end(patient, tally, shape, way):
    """Successes, failures and cancellations are counted when the awaitable is done."""
    function = SHAPES[shape]

    def start(*args):
        return patient(function)(*args) if way == "decorated" else patient.call(function, *args)

    async def main():
        assert await start() == 7
        with pytest.raises(OSError, match="ill"):
            await start(OSError("ill"))
        task = asyncio.ensure_future(start())
        await asyncio.sleep(0)
        assert tally(patient) == {"success": 1, "failure": 1, "in_flight": 1}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert tally(patient) == {"success": 1, "failure": 1, "cancelled": 1}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_captured(patient, tally, shape):
    """`try_call` of each shape gives an awaitable of an Outcome."""
    function = SHAPES[shape]

    async def main():
        good = await patient.try_call(function)
        bad = await patient.try_call(function, OSError("ill"))
        assert (good.ok, good.value, good.error) == (True, 7, None)
        assert (bad.ok, bad.value, type(bad.error)) == (False, None, OSError)
        patient.force_open()
        refused = patient.try_call(function)
        if not isinstance(refused, seawall.Outcome):
            refused = await refused
        assert isinstance(refused.rejected, seawall.CircuitOpenError)

    asyncio.run(main())
    assert tally(patient) == {"success": 1, "failure": 1, "rejected": 1}


def test_rejected_at_the_call(patient):
    """A plain function is refused when it is called: its work begins there."""
    ran = []
    protected = patient(lambda: ran.append(1) or work())
    patient.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        protected()
    assert ran == []


def test_async_mock(patient, tally):
    """An AsyncMock is protected, and still asserts."""
    client = mock.AsyncMock(return_value=7)
    protected = patient(client)

    async def main():
        assert await protected(1, a=2) == 7
        client.side_effect = OSError("ill")
        with pytest.raises(OSError, match="ill"):
            await protected(1, a=2)

    asyncio.run(main())
    client.assert_awaited_with(1, a=2)
    assert protected.await_count == 2
    assert tally(patient) == {"success": 1, "failure": 1}


def test_magic_mock_is_plain(patient, tally):
    """A MagicMock, which answers to everything, is a plain function."""
    client = mock.MagicMock(return_value=7)
    assert patient(client)(1) == 7
    assert patient.call(client, 1) == 7
    assert tally(patient) == {"success": 2}


@pytest.mark.parametrize("make", [Awaitable, lambda: functools.partial(work)()])
def test_thrown_away_unawaited(patient, tally, make):
    """An adopted awaitable nobody awaits gives its permit back; only the inner one may warn."""
    awaitable = patient(make and (lambda: make()))()
    assert tally(patient) == {"in_flight": 1}
    if make is Awaitable:
        del awaitable
    else:
        with pytest.warns(RuntimeWarning, match="coroutine 'work' was never awaited"):
            del awaitable
    assert tally(patient) == {"cancelled": 1}


@pytest.mark.parametrize("begun", [True, False])
def test_iterators_without_throw_or_close(patient, tally, begun):
    """What is thrown into a bare iterator rises at once, as `yield from` has it; close closes."""
    for error in (OSError("thrown"), KeyboardInterrupt()):
        awaitable = patient(lambda: Awaitable())()
        if begun:
            awaitable.send(None)
        with pytest.raises(type(error)) as raised:
            awaitable.throw(error)
        assert raised.value is error
    given = asyncio.CancelledError("given")
    with pytest.raises(asyncio.CancelledError) as raised:
        patient(lambda: Awaitable())().throw(asyncio.CancelledError, given)
    assert raised.value is given
    awaitable = patient(lambda: Awaitable())()
    if begun:
        awaitable.send(None)
    awaitable.close()
    assert tally(patient) == {"failure": 1, "cancelled": 3}


def test_an_await_that_fails(patient, tally, finish):
    """An `__await__` that raises is a failed call; one that gives no iterator a TypeError."""

    class Broken:
        def __await__(self):
            raise OSError("no way")

    class Wrong:
        def __await__(self):
            return 7

    with pytest.raises(OSError, match="no way"):
        finish(patient(lambda: Broken())())
    with pytest.raises(TypeError, match="__await__"):
        asyncio.run(await_it(patient(lambda: Wrong())()))
    assert tally(patient) == {"failure": 2}


async def await_it(awaitable):
    """Awaits."""
    return await awaitable


def test_an_await_that_comes_back(patient, tally, finish):
    """An `__await__` that steps the very coroutine that asks it is told it is executing."""
    errors = []

    class Circular:
        def __await__(self):
            for ask in (lambda: outer.send(None), outer.close, lambda: outer.throw(KeyError)):
                try:
                    ask()
                except ValueError as error:
                    errors.append(str(error))
            return iter(())

    outer = patient(lambda: Circular())()
    finish(outer)
    assert errors == ["coroutine already executing"] * 3
    assert tally(patient) == {"success": 1}


def test_each_way_of_stepping(patient):
    """An adopted awaitable is a coroutine: it can be sent into, iterated and made a task of."""
    protected = patient(lambda: Awaitable())
    steps = protected().__await__()
    assert next(steps) is next(steps) is None
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value == 7

    async def main():
        return await asyncio.create_task(protected())

    assert asyncio.run(main()) == 7


def test_a_first_value_that_is_none_of_its(patient, tally):
    """Sending something into what has not begun is refused, and says nothing of the callee."""
    waiting = patient(lambda: work())()
    with pytest.raises(TypeError, match="can't send non-None value to a just-started coroutine"):
        waiting.send(5)
    assert tally(patient) == {"in_flight": 1}
    waiting.close()


def test_awaited_twice(patient, finish):
    """An adopted coroutine can't be awaited twice."""
    coroutine = patient(lambda: work())()
    finish(coroutine)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        finish(coroutine)
