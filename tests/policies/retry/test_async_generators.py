"""Async generators are tried again until they have given an item, and never after."""

import asyncio
import contextlib
import gc

import pytest
import seawall
import trio
import trio.lowlevel

from tests.policies.retry.service import counts

RUNS = {"asyncio": asyncio.run, "trio": trio.run}


@pytest.fixture(params=RUNS)
def run(request):
    """Runs an async function under each loop."""
    return RUNS[request.param]


def made(retry, body):
    """An async generator function that asks ``body`` before each of two items."""

    @retry
    async def items(first, *, then):
        body()
        yield first
        body()
        yield then

    return items


def test_until_the_first_item(run, script):
    """What fails before is made anew, with the same arguments; one run of items is seen."""
    body = script(ConnectionError, ConnectionError, None)
    retry = seawall.Retry(backoff=2)
    items = made(retry, body)

    async def main():
        return [item async for item in items(4, then=5)]

    assert run(main if run is trio.run else main()) == [4, 5]
    assert body.times[:3] == [0, 2, 4]
    assert counts(retry) == {"recovered": 1, "retries": 2}


async def suspends():
    """Lets others have a turn, under each loop."""
    await (trio if trio.lowlevel.in_trio_task() else asyncio).sleep(0)


async def gives_up():
    """A wait that is cut short from inside: what cancels it is thrown into the generator."""
    if trio.lowlevel.in_trio_task():
        with trio.fail_after(0.01):
            await trio.sleep_forever()
    else:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()


@pytest.mark.parametrize("fails", ["by itself", "in its wait"])
@pytest.mark.parametrize("steps", ["async for", "anext", "asend"])
def test_one_that_waits_before_it_fails(run, script, fails, steps):
    """However its first item is asked for, and however the loop goes on with what it awaits."""
    body = (
        script("late", "late", None) if fails == "in its wait" else script(OSError, OSError, None)
    )
    retry = seawall.Retry(backoff=2, on=(OSError, TimeoutError, trio.TooSlowError))

    @retry
    async def items():
        await suspends()
        if body():
            await gives_up()
        yield 4

    async def main():
        async with contextlib.aclosing(items()) as made:
            if steps == "anext":
                return await anext(made)
            if steps == "asend":
                return await made.asend(None)
            return [item async for item in made].pop()

    assert run(main if run is trio.run else main()) == 4
    assert body.waits == pytest.approx([2, 2], abs=0.5)
    assert counts(retry) == {"recovered": 1, "retries": 2}


def test_what_was_given_is_not_taken_back(run, script):
    """A failure after an item is the consumer's, with a note that says why."""
    body = script(None, ConnectionError)
    retry = seawall.Retry("pages", backoff=1)
    items = made(retry, body)
    seen = []

    async def main():
        async for item in items(1, then=2):
            seen.append(item)  # noqa: PERF401  what came before the failure is kept

    with pytest.raises(ConnectionError) as raised:
        run(main if run is trio.run else main())
    assert seen == [1]
    assert "items were given already" in raised.value.__notes__[0]
    assert counts(retry) == {"gave_up_begun": 1}


def test_the_last_error_is_what_is_left(run, script):
    """Given up, with the note, and iterating on gives nothing."""
    body = script(ConnectionError)
    retry = seawall.Retry("pages", backoff=1)
    items = made(retry, body)

    async def main():
        pages = items(1, then=2)
        with pytest.raises(ConnectionError) as raised:
            await anext(pages)
        assert "after 3 attempts" in raised.value.__notes__[0]
        return [item async for item in pages]

    assert run(main if run is trio.run else main()) == []
    assert body.calls == 3
    assert counts(retry) == {"gave_up_attempts": 1, "retries": 2}


def test_one_without_items_is_a_good_end(run, script):
    """Also where it took several attempts."""
    body = script(ConnectionError, None)
    retry = seawall.Retry(backoff=1)

    @retry
    async def nothing():
        body()
        return
        yield

    async def main():
        return [item async for item in nothing()]

    assert run(main if run is trio.run else main()) == []
    assert counts(retry) == {"recovered": 1, "retries": 1}


@pytest.mark.parametrize("how", ["cancel", "close", "drop", "throw"])
def test_left_while_it_waits(script, how):
    """Whoever gives up the first item between two attempts leaves nothing behind."""
    body = script(ConnectionError)
    retry = seawall.Retry(backoff=3600)
    items = made(retry, body)

    async def main():
        pages = items(1, then=2)
        if how == "cancel":
            task = asyncio.ensure_future(anext(pages))
            while not body.calls:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return
        step = pages.__anext__()
        step.send(None)
        if how == "close":
            step.close()
        elif how == "throw":
            with pytest.raises(KeyError):
                step.throw(KeyError("the consumer's"))
        del step, pages
        gc.collect()

    asyncio.run(main())
    assert body.calls == 1
    assert retry.snapshot().in_flight == 0
    assert seawall.remaining() is None


def test_each_attempt_is_a_call_of_the_breaker_inside(run, script):
    """The breaker counts attempts; refused by it, the call is over, and nobody is left inside."""
    body = script(ConnectionError)
    breaker = seawall.CircuitBreaker(failure_threshold=2)
    retry = seawall.Retry(attempts=5, backoff=1)
    items = made(lambda function: retry(breaker(function)), body)

    async def main():
        with pytest.raises(seawall.CircuitOpenError):
            await anext(items(1, then=2))
        with pytest.raises(seawall.CircuitOpenError):
            await anext(items(1, then=2))

    run(main if run is trio.run else main())
    assert body.calls == 2
    assert breaker.snapshot().counts["rejected"] == 2
    assert (breaker.snapshot().in_flight, retry.snapshot().in_flight) == (0, 0)
