"""A call that stands still is not around whoever runs meanwhile."""

import asyncio
import contextvars
import types

import pytest
import seawall

from tests.policies.retry.service import counts, marks


@types.coroutine
def pause():
    """Suspends once."""
    yield


@pytest.fixture
def probe():
    """How often a call makes its attempts here: 3 unless it is inside of another retry."""
    inner = seawall.Retry(backoff=0)

    def count():
        made = []

        def work():
            made.append(1)
            raise ConnectionError

        inner.try_call(work)
        return len(made)

    return count


def test_a_suspended_coroutine(probe):
    """Who steps it by hand is not inside of it; its own code is, each time it goes on."""
    seen = []

    @seawall.Retry(backoff=0)
    async def work():
        for _ in range(3):
            seen.append(probe())
            await pause()

    call = work()
    assert probe() == 3
    for _ in range(3):
        call.send(None)
        assert (probe(), marks(contextvars.copy_context())) == (3, [])
    with pytest.raises(StopIteration):
        call.send(None)
    assert seen == [1, 1, 1]
    assert probe() == 3


def test_a_waiting_coroutine(probe):
    """Nor is who steps one that waits for its next attempt."""

    async def main():
        @seawall.Retry(backoff=10)
        async def work():
            raise ConnectionError

        call = work()
        with seawall.testing.clock():
            call.send(None)
            assert (probe(), marks(contextvars.copy_context())) == (3, [])
            call.close()
        assert probe() == 3

    asyncio.run(main())


@pytest.mark.parametrize("end", ["close", "throw", "drop"])
def test_a_suspended_coroutine_that_is_ended(probe, end):
    """It leaves nothing behind, whoever ends it, also in another context."""

    @seawall.Retry(backoff=0)
    async def work():
        await pause()

    call = work()
    call.send(None)
    if end == "close":
        call.close()
    elif end == "throw":
        with pytest.raises(KeyError):
            contextvars.copy_context().run(call.throw, KeyError("thrown"))
    del call
    assert (probe(), marks(contextvars.copy_context())) == (3, [])


def test_a_suspended_generator(probe):
    """Its consumer is not inside of it; its own code is."""
    seen = []
    retry = seawall.Retry(backoff=0)

    @retry
    def items():
        seen.append(probe())
        yield 1
        seen.append(probe())
        yield 2

    items = items()
    assert probe() == 3
    for _ in items:
        assert (probe(), marks(contextvars.copy_context())) == (3, [])
    # Once it has given an item it has no further attempt to leave others to.
    assert seen[0] == 1
    assert probe() == 3
    assert counts(retry) == {"success": 1}


def test_an_awaitable_that_a_plain_function_gave_back(probe):
    """Its maker is not inside of it; its own code is."""
    seen = []

    async def inner():
        await pause()
        seen.append(probe())

    @seawall.Retry(backoff=0)
    def work():
        return inner()

    call = work()
    assert (probe(), marks(contextvars.copy_context())) == (3, [])
    call.send(None)
    assert probe() == 3
    with pytest.raises(StopIteration):
        call.send(None)
    assert seen == [1]
    assert marks(contextvars.copy_context()) == []


def test_a_coroutine_that_goes_on_in_another_context(probe):
    """What each of them is inside of is its own."""
    seen = []

    @seawall.Retry(backoff=0)
    async def work():
        seen.append(probe())
        await pause()
        seen.append(probe())

    call = work()
    one, other = contextvars.copy_context(), contextvars.copy_context()
    one.run(call.send, None)
    assert one.run(probe) == 3
    with pytest.raises(StopIteration):
        other.run(call.send, None)
    assert seen == [1, 1]
    assert marks(one) == marks(other) == []
    assert one.run(probe) == other.run(probe) == 3
