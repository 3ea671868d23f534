"""Cancelled at every point where a call can be suspended: nothing is lost, on any loop."""

import asyncio
import contextlib
import random

import pytest
import seawall
import trio

#: How many suspensions the longest call has.
POINTS = 6


class Give:
    """One suspension, without a loop."""

    def __await__(self):
        """Suspends once."""
        yield


async def body(points, rest):
    """Suspends so often, also in its cleaning up."""
    try:
        for _ in range(points):
            await rest()
    finally:
        await rest()


async def plain_body(points, rest):
    """Suspends so often."""
    for _ in range(points):
        await rest()


def shapes(guard, body=body):
    """A call of each kind that can be suspended, under ``guard``."""

    @guard
    async def function(points, rest):
        await body(points, rest)

    @guard
    def gives_an_awaitable(points, rest):
        return body(points, rest)

    async def block(points, rest):
        async with guard:
            await body(points, rest)

    async def sync_block(points, rest):
        with guard:
            await body(points, rest)

    async def stack(points, rest):
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(guard)
            stack.enter_context(guard.policies[0])
            await body(points, rest)

    async def once(points, rest):
        await guard.call(body, points, rest)

    async def captured(points, rest):
        await guard.try_call(body, points, rest)

    async def nested(points, rest):
        async with guard:
            await function(points, rest)

    async def alongside(points, rest):
        await asyncio.gather(function(points, rest), once(points, rest))

    made = [function, gives_an_awaitable, block, sync_block, stack, once, captured, nested]
    return {shape.__name__: shape for shape in made} | {"alongside": alongside}


NAMES = list(shapes(seawall.Pipeline("names", seawall.CircuitBreaker())))


@pytest.fixture
def guard():
    """Several policies, one of them with a circuit for each call's length, all of them probing."""
    with seawall.testing.isolated(), seawall.testing.clock() as clock:
        policies = [
            seawall.CircuitBreaker(half_open_calls=1, success_threshold=99, open_duration=1),
            seawall.CircuitBreaker(half_open_calls=2, success_threshold=99, open_duration=1),
            seawall.CircuitBreaker(slow_call_rate=1, slow_call_duration=60),
        ]
        for policy in policies[:2]:
            policy.reconfigure(failure_threshold=1)
            with contextlib.suppress(ZeroDivisionError):
                policy.call(lambda: 1 / 0)
        clock.advance(1)
        for policy in policies[:2]:
            policy.call(int)
        yield seawall.Pipeline("pipeline", *policies)


def settled(guard):
    """Nobody is in, every probe is back, and no outcome was made up."""
    for policy in guard.policies:
        seen = policy.snapshot()
        assert seen.in_flight == 0, policy
        assert seen.counts["failure"] in (0, 1), policy
    probing = guard.policies[0]
    assert probing.state == "half_open"
    assert probing.call(int) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("points", range(POINTS))
def test_asyncio(guard, name, points):
    """`task.cancel()` at each suspension: the cancellation rises, permits and probes are back."""
    shape = shapes(guard)[name]

    async def main(after):
        task = asyncio.create_task(shape(points, lambda: asyncio.sleep(0)))
        for _ in range(after):
            await asyncio.sleep(0)
        cancelled = task.cancel()
        with contextlib.suppress(asyncio.CancelledError, seawall.CircuitOpenError):
            await task
        assert not cancelled or task.cancelled() or name == "alongside"

    for after in range(points + 3):
        asyncio.run(main(after))
        settled(guard)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "alongside"])
@pytest.mark.parametrize("points", range(POINTS))
def test_trio(guard, name, points):
    """A cancel scope that ends at each checkpoint: likewise."""
    shape = shapes(guard)[name]

    async def main(after):
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()

            async def run():
                with scope:
                    await shape(points, trio.lowlevel.checkpoint)

            nursery.start_soon(run)
            for _ in range(after):
                await trio.lowlevel.checkpoint()
            scope.cancel()

    for after in range(points + 3):
        trio.run(main, after)
        settled(guard)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "alongside"])
@pytest.mark.parametrize("end", ["close", "throw", "drop"])
def test_by_hand(guard, name, end):
    """Closed, thrown into or dropped at each suspension, without a loop: likewise."""
    shape = shapes(guard, plain_body)[name]
    for points in range(1, POINTS):
        for steps in range(points):
            call = shape(points, Give)
            for _ in range(steps + 1):
                call.send(None)
            if end == "close":
                call.close()
            elif end == "throw":
                with pytest.raises(asyncio.CancelledError):
                    call.throw(asyncio.CancelledError())
            del call
            settled(guard)


def test_at_random():
    """Many tasks under random pipelines, cancelled at random moments: nothing is left in flight."""
    chance = random.Random(7)

    async def main():
        with seawall.testing.isolated():
            policies = [
                seawall.CircuitBreaker(failure_rate=1.0),
                seawall.CircuitBreaker(window=seawall.seconds(10)),
                seawall.CircuitBreaker(key=lambda *args: args[0] % 3),
                seawall.CircuitBreaker(failure_threshold=3),
            ]

            async def work(points):
                for _ in range(points):
                    await asyncio.sleep(0)
                if points % 5 == 4:
                    raise OSError

            tasks = []
            for number in range(400):
                chosen = chance.sample(policies, chance.randint(1, 4))
                pipeline = seawall.Pipeline(f"p{number}", *chosen)
                tasks.append(asyncio.create_task(pipeline(work)(chance.randint(0, 9))))
                if chance.random() < 0.5:
                    await asyncio.sleep(0)
                if chance.random() < 0.5:
                    chance.choice(tasks).cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for policy in policies:
                assert policy.snapshot().in_flight == 0

    asyncio.run(main())
