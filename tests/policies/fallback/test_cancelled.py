"""What cancels or interrupts a call is never answered for, also while a provider runs."""

import asyncio

import pytest
import seawall
import trio

from tests.policies.fallback.calls import answer, counts, down, forever


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions_pass(error):
    """They say nothing of the service."""
    fallback = seawall.Fallback(0)

    def service():
        raise error

    with pytest.raises(error):
        fallback(service)()
    assert counts(fallback) == {"passed": 1}


def test_a_cancelled_future_is_a_cancellation():
    """Of `concurrent.futures` as well, which is an `Exception` by inheritance."""
    from concurrent.futures import CancelledError

    def service():
        raise CancelledError

    with pytest.raises(CancelledError):
        seawall.fallback(0)(service)()


def test_a_cancelled_call_is_not_answered_for():
    """A task that is cancelled while the function waits."""
    fallback = seawall.Fallback(answer, stale=60)

    @fallback
    async def service():
        await asyncio.Event().wait()

    async def main():
        task = asyncio.ensure_future(service())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())
    assert counts(fallback) == {"passed": 1}


def test_a_cancelled_provider_is_a_cancelled_call():
    """It is no failure of the provider: the next is not asked, and the error does not come back."""
    asked = []

    async def waits(error):
        asked.append("first")
        await asyncio.Event().wait()

    fallback = seawall.Fallback(waits, lambda error: asked.append("second"))

    @fallback
    async def service():
        raise ConnectionError

    async def main():
        task = asyncio.ensure_future(service())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())
    assert asked == ["first"]
    assert counts(fallback) == {"passed": 1}


def test_trio_cancels_providers():
    """By its scopes."""

    async def waits(error):
        await trio.sleep_forever()

    fallback = seawall.Fallback(waits, 0)

    @fallback
    async def service():
        raise ConnectionError

    async def main():
        with trio.move_on_after(1) as scope:
            await service()
        assert scope.cancelled_caught

    trio.run(main)
    assert counts(fallback) == {"passed": 1}


def test_ctrl_c_in_a_provider_is_ctrl_c(kind):
    """Nobody else is asked."""

    def provider(error):
        raise KeyboardInterrupt

    fallback = seawall.Fallback(provider, 0)
    with pytest.raises(KeyboardInterrupt):
        kind.run(fallback(kind.function(down)))
    assert counts(fallback) == {"passed": 1}


def test_a_coroutine_that_is_closed_while_a_provider_waits_is_over():
    """Its provider is closed, and nothing is in flight."""
    closed = []

    class Suspends:
        def __await__(self):
            yield

    async def waits(error):
        try:
            await Suspends()
        finally:
            closed.append(True)

    fallback = seawall.Fallback(waits, 0)

    @fallback
    async def service():
        raise ConnectionError

    coroutine = service()
    coroutine.send(None)
    coroutine.close()
    assert closed == [True]
    assert counts(fallback) == {"passed": 1}


def test_limits_of_time_further_out_hold_for_providers(loop):
    """The caller waits no longer for a provider than for the service."""

    async def provider(error):
        await forever()

    with pytest.warns(seawall.CompositionWarning, match="outermost"):
        guard = seawall.Pipeline("p", seawall.Timeout(2), seawall.Fallback(provider))
    with pytest.raises(seawall.CallTimeoutError):
        loop.run(guard(loop.function(down)))


def test_a_deadline_around_it_is_known_to_providers(kind):
    """Also of a call that was refused, whose work never began."""
    seen = []
    breaker = seawall.CircuitBreaker()
    breaker.force_open()
    with pytest.warns(seawall.CompositionWarning, match="outermost"):
        guard = seawall.Pipeline(
            "p",
            seawall.Timeout(2),
            seawall.Fallback(lambda _: seen.append(seawall.remaining())),
            breaker,
        )
    kind.run(guard(kind.function(down)))
    assert seen == [2]
