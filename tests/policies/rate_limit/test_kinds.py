"""Every kind of call is let in, or refused before anything of it has run."""

import asyncio

import pytest
import seawall


@pytest.fixture
def limit(clock):
    """One call a second."""
    return seawall.RateLimit("one", 1)


def test_coroutines(limit):
    """At the first step, not when they are made: one that is never awaited took nothing."""
    ran = []

    @limit
    async def send():
        ran.append(1)

    async def main():
        send().close()
        await send()
        with pytest.raises(seawall.RateLimitedError):
            await send()

    asyncio.run(main())
    assert ran == [1]


def test_generators(limit):
    """At the first item."""

    @limit
    def pages():
        yield 1
        yield 2

    unused = pages()
    assert list(pages()) == [1, 2]
    with pytest.raises(seawall.RateLimitedError):
        next(pages())
    unused.close()


def test_async_generators(limit):
    """Likewise at the first item."""

    @limit
    async def pages():
        yield 1
        yield 2

    async def main():
        assert [item async for item in pages()] == [1, 2]
        with pytest.raises(seawall.RateLimitedError):
            await anext(pages())

    asyncio.run(main())


def test_blocks(limit):
    """Each entry is a call."""
    ran = []
    with limit:
        ran.append(1)
    with pytest.raises(seawall.RateLimitedError), limit:
        ran.append(2)

    async def main():
        with pytest.raises(seawall.RateLimitedError):
            async with limit:
                ran.append(3)

    asyncio.run(main())
    assert ran == [1]


def test_a_plain_function_that_gives_an_awaitable(limit):
    """It was let in when it was called."""

    async def answer():
        return 5

    @limit
    def ask():
        return answer()

    async def main():
        assert await ask() == 5
        with pytest.raises(seawall.RateLimitedError):
            ask()

    asyncio.run(main())
