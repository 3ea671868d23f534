"""Callers that wait for their time, in order, plainly and by every loop."""

import asyncio
import functools
import threading

import pytest
import seawall
import trio

from tests.policies.rate_limit.calls import nothing
from tests.policies.retry.service import KINDS
from tests.threads import until


@pytest.fixture
def clock():
    """Time, which moves when everything waits."""
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    """Plain functions, then coroutine functions under each loop."""
    return request.param


def at(clock):
    """When it is, in seconds of the test."""
    return round(clock.elapsed, 6)


async def together(module, *functions):
    """Runs coroutine functions at once, begun in this order, under asyncio or trio."""
    if module == "trio":
        async with trio.open_nursery() as nursery:
            for function in functions:
                nursery.start_soon(function)
                for _ in range(3):
                    await trio.lowlevel.checkpoint()
    else:
        tasks = []
        for function in functions:
            tasks.append(asyncio.ensure_future(function()))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)


def test_one_after_the_other(clock, kind):
    """Each waits until it may."""
    limit = seawall.RateLimit(limit=10, burst=1, max_wait=1)
    function = limit(kind.function(lambda: at(clock)))
    assert [kind.run(function) for _ in range(4)] == [0, 0.1, 0.2, 0.3]
    counts = limit.snapshot().counts
    assert dict(counts) == {"admitted": 4, "delayed": 3, "abandoned": 0, "rejected": 0}


@pytest.mark.parametrize("module", ["asyncio", "trio"])
def test_tasks_are_let_in_as_they_came(clock, module):
    """In order, each at its time; what is dear does not let the cheap overtake."""
    limit = seawall.RateLimit(limit=10, burst=3, max_wait=9, cost=lambda cost, name: cost)
    seen = []

    async def note(_cost, name):
        seen.append((name, at(clock)))

    costs = {"a": 3, "b": 3, "c": 1, "d": 2}
    calls = [functools.partial(limit.call, note, cost, name) for name, cost in costs.items()]
    if module == "trio":
        trio.run(together, module, *calls)
    else:
        asyncio.run(together(module, *calls))
    assert seen == [("a", 0), ("b", 0.3), ("c", 0.4), ("d", 0.6)]


def test_threads_each_have_their_time():
    """However many ask at once: one each tenth of a second, none left out and none double."""
    with seawall.testing.clock() as still:
        dues, start, done = [], threading.Barrier(8), []
        limit = seawall.RateLimit(
            limit=10, burst=1, max_wait=10, on_event=lambda event: dues.append(event.wait)
        )

        def call():
            with still:
                start.wait()
                limit.call(done.append, 1)

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: limit.snapshot().in_flight + len(done) == 8 and still._calls == 7)
        assert sorted(dues) == pytest.approx([number / 10 for number in range(1, 8)])
        still.advance(0.7)
        for thread in threads:
            thread.join()
    assert (sum(done), limit.snapshot().counts["delayed"]) == (8, 7)


def test_a_hopeless_wait_is_refused_at_once(clock, kind):
    """It takes no time, and nobody's turn."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=0.5)
    function = limit(kind.function(lambda: at(clock)))
    kind.run(function)
    with pytest.raises(seawall.RateLimitedError) as refused:
        kind.run(function)
    assert (refused.value.retry_after, at(clock)) == (1, 0)
    clock.advance(0.5)
    assert kind.run(function) == 1


def test_a_deadline_bounds_the_wait(clock, kind):
    """What would come too late is refused at once, whatever `max_wait` says."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=60)
    function = limit(kind.function(lambda: at(clock)))
    kind.run(function)
    with seawall.deadline(0.9), pytest.raises(seawall.RateLimitedError) as refused:
        kind.run(function)
    assert (refused.value.retry_after, at(clock)) == (1, 0)
    with seawall.deadline(1.1):
        assert kind.run(function) == 1


def test_a_timeout_further_out_bounds_it_too(clock, kind):
    """Also one of the same function, which only begins with the call."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=1.5)
    guard = seawall.Pipeline("both", seawall.Timeout(2), seawall.Retry(attempts=1), limit)
    function = guard(kind.function(lambda: at(clock)))
    kind.run(function)
    guard.reconfigure(timeout={"seconds": 0.5})
    with pytest.raises(seawall.RateLimitedError):
        kind.run(function)
    assert at(clock) == 0
    counts = limit.snapshot().counts
    assert (counts["rejected"], limit.snapshot().in_flight) == (1, 0)
    guard.reconfigure(timeout={"seconds": 3})
    assert kind.run(function) == 1


def test_generators_wait_at_their_first_item(clock):
    """Those of a loop let others go on meanwhile."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=9)

    @limit
    def plain():
        yield at(clock)
        yield at(clock)

    @limit
    async def awaited():
        yield at(clock)
        yield at(clock)

    async def main():
        return [item async for item in awaited()]

    assert list(plain()) == [0, 0]
    assert list(plain()) == [1, 1]
    assert asyncio.run(main()) == [2, 2]
    assert trio.run(main) == [3, 3]


def test_blocks_wait_on_their_first_line(clock):
    """Plainly, and by every loop."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=9)
    times = []

    async def main():
        async with limit:
            times.append(at(clock))

    for _ in range(2):
        with limit:
            times.append(at(clock))
    asyncio.run(main())
    trio.run(main)
    assert times == [0, 1, 2, 3]


def test_every_attempt_waits_for_its_time(clock, kind):
    """Inside of a retry."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=9)
    times = []

    def fail():
        times.append(at(clock))
        raise OSError("down")

    retry = seawall.Retry(attempts=3, on=OSError, backoff=0.25)
    function = seawall.Pipeline("each", retry, limit)(kind.function(fail))
    with pytest.raises(OSError, match="down"):
        kind.run(function)
    assert times == [0, 1, 2]


def test_each_key_has_its_own_line(clock):
    """Who waits in one holds up nobody in another."""
    limit = seawall.RateLimit(limit=1, burst=1, max_wait=9, key="user")

    @limit
    async def call(user):
        return user, at(clock)

    async def main():
        return await asyncio.gather(*map(call, "aabba"))

    assert asyncio.run(main()) == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("a", 2)]


def test_windows_of_the_calendar_are_waited_for(clock):
    """The next that has room, one after the other."""
    limit = seawall.RateLimit(limit=2, per="second", max_wait=9)
    start = seawall._core.wall()
    limit.call(nothing)
    limit.call(nothing)
    seconds = [int(limit.call(seawall._core.wall)) - int(start) for _ in range(5)]
    assert seconds == [1, 1, 2, 2, 3]


def test_what_waits_is_told_and_shown(clock):
    """With how long, before it does."""
    limit = seawall.RateLimit("sms", 1, max_wait=9)

    async def main():
        call = asyncio.ensure_future(limit.call(asyncio.sleep, 0))
        await asyncio.sleep(0)
        seen = limit.snapshot()
        assert (seen.in_flight, seen.available, seen.retry_after) == (1, -1, 2)
        await call
        assert limit.snapshot().in_flight == 0

    limit.call(nothing)
    with seawall.testing.record() as told:
        asyncio.run(main())
    assert [(event.kind, event.wait) for event in told] == [("rate_limit.delayed", 1)]
    assert isinstance(told[0], seawall.RateLimitDelayed)


def test_try_call_waits_too(clock):
    """And its outcome says how long it took."""
    limit = seawall.RateLimit(limit=1, max_wait=9)
    assert limit.try_call(at, clock).value == 0
    outcome = limit.try_call(at, clock)
    assert (outcome.value, outcome.elapsed) == (1, 1)


def test_a_plain_call_in_a_loop_is_warned_of(clock):
    """It stands still meanwhile."""
    limit = seawall.RateLimit("sms", 1, max_wait=9)

    async def main():
        limit.call(nothing)
        with pytest.warns(seawall.BlockingWaitWarning, match="sms"):
            limit.call(nothing)

    with seawall.testing.clock() as still:
        threading.Timer(0.05, lambda: still.advance(1)).start()
        asyncio.run(main())
