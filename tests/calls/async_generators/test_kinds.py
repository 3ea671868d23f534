"""What an async generator looks like, and functions of all sorts that make one."""

import collections.abc
import contextlib
import inspect
import sys
import weakref

import pytest
import seawall

from tests.calls.async_generators.given import collect
from tests.calls.given import TroubleError


def test_the_kind_is_kept(items):
    """`inspect` and `collections.abc` see an async generator function, and an async generator."""
    assert inspect.isasyncgenfunction(items)
    assert not inspect.isgeneratorfunction(items)
    assert not inspect.iscoroutinefunction(items)
    generator = items()
    assert isinstance(generator, collections.abc.AsyncGenerator)
    assert aiter(generator) is generator


def test_its_attributes(items, finish):
    """Debuggers see the inner generator's frame, code, name and state."""
    generator = items()
    step = anext(generator)
    step.send(None)
    assert generator.ag_code is items.__code__
    assert generator.ag_frame.f_locals["value"] == 1
    assert generator.ag_running
    assert generator.ag_await is not None
    assert generator.__name__ == "items"
    assert generator.__qualname__.endswith("items")
    assert "async_generator object" in repr(generator)
    if sys.version_info >= (3, 12):
        assert generator.ag_suspended
    step.close()
    watch = weakref.ref(generator)
    del generator, step
    assert watch() is None


def test_a_context_manager_over_one(patient, tally, finish, pause):
    """`contextlib.asynccontextmanager` over one is a protected block."""

    @contextlib.asynccontextmanager
    @patient
    async def block(fails=False):
        await pause()
        yield 7
        if fails:
            raise LookupError

    async def main():
        async with block() as value:
            assert value == 7
        with pytest.raises(TroubleError):
            async with block():
                raise TroubleError
        with pytest.raises(LookupError):
            async with block(fails=True):
                pass
        assert tally(patient) == {"success": 2, "failure": 1}
        patient.force_open()
        with pytest.raises(seawall.CircuitOpenError):
            async with block():
                pass

    finish(main())


def test_call_and_try_call(patient, tally, finish):
    """`call` gives a protected generator; `try_call` refuses, and says why."""

    async def items(*values):
        for value in values:
            yield value

    assert finish(collect(patient.call(items, 1, 2))) == [1, 2]
    with pytest.raises(seawall.ConfigError, match="has no single outcome"):
        patient.try_call(items)
    assert tally(patient) == {"success": 1}


def test_keys(finish):
    """A generator's key is that of its call."""
    breaker = seawall.CircuitBreaker("keyed", failure_threshold=1, key="host")

    @breaker
    async def items(host):
        yield host
        if host == "bad":
            raise TroubleError

    with pytest.raises(TroubleError):
        finish(collect(items("bad")))
    assert finish(collect(items("good"))) == ["good"]
    with pytest.raises(seawall.CircuitOpenError):
        finish(anext(items("bad")))


def test_tracebacks_show_no_frame_of_ours(patient, finish):
    """What it raises carries the frames of the function and of its consumer, no more."""

    @patient
    async def failing():
        yield 1
        raise TroubleError

    async def main():
        async for _ in failing():
            pass

    with pytest.raises(TroubleError) as raised:
        finish(main())
    assert [entry.name for entry in raised.traceback][-2:] == ["main", "failing"]
