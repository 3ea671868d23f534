"""Generators are answered for until they have given an item, and by items."""

import asyncio
import gc

import pytest
import seawall
import trio

from tests.policies.fallback.calls import broken, counts

RUNS = {"asyncio": asyncio.run, "trio": trio.run}


@pytest.fixture(params=RUNS)
def run(request):
    """Runs an async function under each loop."""
    host = RUNS[request.param]
    return lambda main: host(main if host is trio.run else main())


def failing(error=ConnectionError):
    """A generator function that fails before its first item."""

    def items(*arguments):
        raise error
        yield

    return items


def failing_async(error=ConnectionError):
    """An async generator function that fails before its first item."""

    async def items(*arguments):
        raise error
        yield

    return items


async def listed(items):
    """All items."""
    return [item async for item in items]


def refused():
    """A breaker that is open."""
    breaker = seawall.CircuitBreaker()
    breaker.force_open()
    return breaker


def test_items_of_a_value():
    """Each call has them all."""
    fallback = seawall.Fallback((1, 2))
    protected = fallback(failing())
    assert [list(protected()) for _ in range(2)] == [[1, 2]] * 2
    assert counts(fallback) == {"used": 2}


def test_no_items_are_an_answer():
    """An empty value ends the iteration at once."""
    fallback = seawall.Fallback(())
    assert list(fallback(failing())()) == []
    assert counts(fallback) == {"used": 1}


def test_a_generator_function_takes_the_place():
    """Whole: what is sent and thrown reaches it, and what it returns is handed on."""
    seen = []

    def provider(error, value):
        try:
            seen.append((yield type(error)))
            yield value
        except KeyError as thrown:
            seen.append(thrown)
            yield "caught"
        return "end"

    items = seawall.fallback(provider)(failing())(5)
    assert next(items) is ConnectionError
    assert items.send("sent") == 5
    thrown = KeyError()
    assert items.throw(thrown) == "caught"
    with pytest.raises(StopIteration) as ended:
        next(items)
    assert ended.value.value == "end"
    assert seen == ["sent", thrown]


def test_a_plain_function_gives_what_is_iterated():
    """A list, an iterator, anything; and who gives none has failed."""
    protected = seawall.fallback(lambda _: 5, lambda _: iter("ab"))(failing())
    assert list(protected()) == ["a", "b"]


def test_a_refused_generator_is_answered_for():
    """Its own never begins."""
    fallback = seawall.Fallback(("default",))
    assert list(fallback(refused()(failing()))()) == ["default"]


def test_a_chain_is_asked_until_an_item():
    """A provider that fails before its first is passed over, one that fails after is not."""

    def late(error):
        yield 1
        raise LookupError

    fallback = seawall.Fallback(failing(ValueError), broken, late, (5,))
    items = fallback(failing())()
    assert next(items) == 1
    with pytest.raises(LookupError):
        next(items)
    assert counts(fallback) == {"used": 1}


def test_what_was_given_is_not_taken_back():
    """A failure after an item is the consumer's."""
    fallback = seawall.Fallback((5,))

    @fallback
    def items():
        yield 1
        raise ConnectionError

    run = items()
    assert next(run) == 1
    with pytest.raises(ConnectionError):
        next(run)
    assert counts(fallback) == {"passed": 1}


def test_the_original_error_is_raised():
    """As of other calls."""
    with pytest.raises(ConnectionError) as raised:
        list(seawall.fallback(failing(LookupError))(failing())())
    assert isinstance(raised.value.__context__, LookupError)


def test_leaving_early_is_a_good_end():
    """Of a provider's items as of the function's own."""
    closed = []

    def provider(error):
        try:
            yield 1
        finally:
            closed.append(True)

    fallback = seawall.Fallback(provider)
    for _ in fallback(failing())():
        break
    gc.collect()
    assert closed == [True]
    assert counts(fallback) == {"used": 1}


def test_policies_further_out_see_a_good_call():
    """A provider's items are what a breaker around it counts."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    with pytest.warns(seawall.CompositionWarning, match="outermost"):
        guard = seawall.Pipeline("p", breaker, seawall.Fallback((1,)))
    assert list(guard(failing())()) == [1]
    assert breaker.snapshot().counts["success"] == 1


def test_async_items_of_a_value(run):
    """As of a plain generator."""
    fallback = seawall.Fallback((1, 2))
    assert run(lambda: listed(fallback(failing_async())())) == [1, 2]
    assert counts(fallback) == {"used": 1}


def test_an_async_generator_function_takes_the_place(run):
    """Whole: what is sent and thrown reaches it."""

    async def provider(error, value):
        try:
            yield (yield type(error)), value
        except KeyError:
            yield "caught"

    async def main():
        items = seawall.fallback(provider)(failing_async())(5)
        assert await anext(items) is ConnectionError
        assert await items.asend("sent") == ("sent", 5)
        assert await items.athrow(KeyError()) == "caught"
        with pytest.raises(StopAsyncIteration):
            await anext(items)

    run(main)


def test_all_sorts_of_providers_of_async_items(run):
    """Those that fail before an item are passed over: plain, awaited, generators of either sort."""

    async def awaited(error):
        return ["a", "b"]

    async def fails(error):
        raise LookupError

    fallback = seawall.Fallback(
        failing(), failing_async(ValueError), broken, fails, lambda _: 5, awaited
    )
    assert run(lambda: listed(fallback(failing_async())())) == ["a", "b"]
    assert run(lambda: listed(seawall.fallback(lambda _: iter("ab"))(failing_async())())) == [
        "a",
        "b",
    ]


def test_a_refused_async_generator_is_answered_for(run):
    """At the first item that is asked for, by each provider in turn."""
    fallback = seawall.Fallback(broken, failing_async(LookupError), ("default",))
    protected = fallback(refused()(failing_async()))
    assert run(lambda: listed(protected())) == ["default"]
    assert counts(fallback) == {"used": 1}


def test_a_refused_async_generator_may_stay_refused(run):
    """With how the providers failed."""
    fallback = seawall.Fallback(broken, failing_async(ValueError))
    protected = fallback(refused()(failing_async()))
    with pytest.raises(seawall.CircuitOpenError) as raised:
        run(lambda: listed(protected()))
    assert isinstance(raised.value.__context__, ValueError)
    assert isinstance(raised.value.__context__.__context__, LookupError)
    assert counts(fallback) == {"failed": 1}


def test_a_refused_async_generator_is_tried_again(run):
    """By a retry that lists the rejection: its first item is waited for."""
    breaker = refused()
    retry = seawall.Retry(on=seawall.CircuitOpenError, backoff=1)

    async def items():
        yield 1

    protected = retry(breaker(items))
    retry.reconfigure(before_sleep=lambda _: breaker.reset())
    assert run(lambda: listed(protected())) == [1]


def test_async_errors_come_as_they_are(run):
    """The original, with the last provider's as its context."""
    fallback = seawall.Fallback(failing_async(LookupError))
    with pytest.raises(ConnectionError) as raised:
        run(lambda: listed(fallback(failing_async())()))
    assert isinstance(raised.value.__context__, LookupError)


def test_an_async_generator_that_has_begun_is_its_own(run):
    """As a plain one."""
    fallback = seawall.Fallback((5,))

    @fallback
    async def items():
        yield 1
        raise ConnectionError

    async def main():
        run = items()
        assert await anext(run) == 1
        with pytest.raises(ConnectionError):
            await anext(run)

    run(main)
    assert counts(fallback) == {"passed": 1}


def test_a_cancelled_provider_of_items_is_a_cancelled_call():
    """Nobody else is asked."""

    async def waits(error):
        await asyncio.Event().wait()
        yield

    fallback = seawall.Fallback(waits, (1,))

    async def main():
        task = asyncio.ensure_future(listed(fallback(failing_async())()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert counts(fallback) == {"passed": 1}
