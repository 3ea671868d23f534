"""Calls share nothing but the counters: tenacity #93, #701."""

import asyncio
import contextvars
import threading

import pytest
import seawall
import trio

from tests.policies.retry.service import counts

CALLERS = 5


def each(seen, number):
    """One more attempt of that caller, which fails."""
    seen.append(number)
    raise ConnectionError(number)


def test_five_tasks_make_three_attempts_each(clock):
    """One decorated coroutine function, called by several tasks at once: 3/3/3/3/3."""
    seen = []
    retry = seawall.Retry(backoff=seawall.linear(1))

    @retry
    async def work(number):
        await clock.asleep(0.1 * number)
        each(seen, number)

    async def main():
        return await asyncio.gather(*map(work, range(CALLERS)), return_exceptions=True)

    errors = asyncio.run(main())
    assert [seen.count(number) for number in range(CALLERS)] == [3] * CALLERS
    assert [error.args for error in errors] == [(number,) for number in range(CALLERS)]
    assert counts(retry) == {"gave_up_attempts": CALLERS, "retries": 2 * CALLERS}


def test_five_tasks_of_trio(clock):
    """The tasks of a nursery each make all of their attempts too."""
    seen = []
    retry = seawall.Retry(backoff=1)

    @retry
    async def work(number):
        await clock.asleep(0.1 * number)
        each(seen, number)

    async def one(number):
        with pytest.raises(ConnectionError):
            await work(number)

    async def main():
        async with trio.open_nursery() as nursery:
            for number in range(CALLERS):
                nursery.start_soon(one, number)

    trio.run(main)
    assert [seen.count(number) for number in range(CALLERS)] == [3] * CALLERS


def test_five_threads():
    """One decorated function, called by several threads at once."""
    seen = []
    together = threading.Barrier(CALLERS)
    retry = seawall.Retry(backoff=1)

    @retry
    def work(number):
        together.wait(20)
        each(seen, number)

    def one(number):
        with pytest.raises(ConnectionError):
            work(number)

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(one, number))
        for number in range(CALLERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [seen.count(number) for number in range(CALLERS)] == [3] * CALLERS
    assert counts(retry) == {"gave_up_attempts": CALLERS, "retries": 2 * CALLERS}


def test_two_functions_of_one_retry(kind, script):
    """The instance has no attempts of its own to use up."""
    retry = seawall.Retry()
    bodies = [script(ConnectionError) for _ in range(2)]
    for body in bodies:
        with pytest.raises(ConnectionError):
            kind.run(retry(kind.function(body)))
    assert [body.calls for body in bodies] == [3, 3]


def test_delays_of_calls_at_once_are_their_own():
    """Each counts from its first delay, also where they take turns."""
    starts = {}
    retry = seawall.Retry(attempts=4, backoff=seawall.linear(1))

    @retry
    async def work(clock, number):
        starts.setdefault(number, []).append(round(clock.elapsed, 6))
        raise ConnectionError

    async def main(clock):
        calls = []
        for number in range(3):
            calls.append(asyncio.create_task(work(clock, number)))
            await clock.asleep(0.25)
        await asyncio.gather(*calls, return_exceptions=True)

    with seawall.testing.clock(autojump=True) as clock:
        asyncio.run(main(clock))
    for number in range(3):
        begin = number * 0.25
        assert starts[number] == [begin, begin + 1, begin + 3, begin + 6]


def test_recursion(kind, script):
    """A retry inside of itself is a call of its own: see the tests of nesting for what it makes."""
    depth = []
    retry = seawall.Retry(nested="independent", backoff=0)

    @retry
    def work(left):
        depth.append(left)
        if left:
            work(left - 1)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        work(2)
    assert [depth.count(left) for left in (2, 1, 0)] == [3, 9, 27]
    assert counts(retry)["gave_up_attempts"] == 13


def test_one_retry_in_five_loops_at_once(clock):
    """Tenacity's AsyncRetrying, used by five tasks, gives them 4, 2, 2, 2 and 1 attempts."""
    seen = []
    retry = seawall.Retry(backoff=seawall.linear(1))

    async def one(number):
        async for attempt in retry:
            with attempt:
                await clock.asleep(0.1 * number)
                each(seen, number)

    async def main():
        return await asyncio.gather(*map(one, range(CALLERS)), return_exceptions=True)

    errors = asyncio.run(main())
    assert [seen.count(number) for number in range(CALLERS)] == [3] * CALLERS
    assert [error.args for error in errors] == [(number,) for number in range(CALLERS)]
    assert counts(retry) == {"gave_up_attempts": CALLERS, "retries": 2 * CALLERS}


def test_hooks_hear_of_one_call_at_a_time(told, clock):
    """Stamina's and tenacity's bug: what a hook is told of is its call's, not the last one's."""
    heard = []
    retry = seawall.Retry(
        backoff=seawall.linear(1),
        before_sleep=lambda event: heard.append((event.error.args[0], event.attempts, event.delay)),
        after_end=lambda event: heard.append((event.error.args[0], event.attempts, event.why)),
    )

    @retry
    async def work(number):
        await clock.asleep(0.1 * number)
        raise ConnectionError(number)

    async def main():
        await asyncio.gather(*map(work, range(CALLERS)), return_exceptions=True)

    asyncio.run(main())
    for number in range(CALLERS):
        assert [rest for at, *rest in heard if at == number] == [[1, 1], [2, 2], [3, "attempts"]]
    assert len(told) == len(heard)
