"""Callers that give up while they wait: their time goes to those behind them."""

import asyncio
import gc

import pytest
import seawall
import trio
from seawall.waiting import asleep

LOOPS = ["asyncio", "trio"]


@pytest.fixture
def clock():
    """Time, which moves when everything waits."""
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


async def settle():
    """Lets the tasks of trio's that were just begun have their turns. No time passes."""
    for _ in range(3):
        await trio.lowlevel.checkpoint()


class Queue:
    """Callers that come one after the other; each can be cancelled."""

    def __init__(self, clock, limit):
        """One for each name."""
        self.clock = clock
        self.limit = limit
        self.times = {}
        self.scopes = {}

    async def call(self, name):
        """One caller."""

        async def note():
            self.times[name] = round(self.clock.elapsed, 6)

        with trio.CancelScope() as self.scopes[name]:
            await self.limit.call(note)

    def play(self, loop, names, then):
        """Has them come, and then does what ``then`` says, a coroutine function of a sleep."""
        if loop == "trio":
            trio.run(self._trio, names, then)
        else:
            asyncio.run(self._asyncio(names, then))
        return self.times

    async def _trio(self, names, then):
        async with trio.open_nursery() as nursery:
            for name in names:
                nursery.start_soon(self.call, name)
                await settle()

            async def come(name):
                nursery.start_soon(self.call, name)
                await settle()

            await then(asleep, lambda name: self.scopes[name].cancel(), come)

    async def _asyncio(self, names, then):
        tasks = {}

        async def note(name):
            self.times[name] = round(self.clock.elapsed, 6)

        async def come(name):
            tasks[name] = asyncio.ensure_future(self.limit.call(note, name))
            await asyncio.sleep(0)

        for name in names:
            await come(name)
        await then(asleep, lambda name: tasks[name].cancel(), come)
        await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.fixture
def queue(clock):
    """One call a second, and callers that wait as long as they have to."""
    return Queue(clock, seawall.RateLimit("line", 1, burst=1, max_wait=60))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("leaver", ["b", "c", "d", "e"])
def test_those_behind_move_up(queue, loop, leaver):
    """Whoever leaves, and who comes afterwards stands behind them all."""

    async def then(_sleep, cancel, come):
        cancel(leaver)
        await come("f")

    names = [name for name in "abcdef" if name != leaver]
    expected = {name: time for time, name in enumerate(names)}
    assert queue.play(loop, "abcde", then) == expected
    counts = queue.limit.snapshot().counts
    assert (counts["admitted"], counts["abandoned"]) == (5, 1)
    assert queue.limit.snapshot().in_flight == 0


@pytest.mark.parametrize("loop", LOOPS)
def test_many_leave_at_once(queue, loop):
    """The rest are let in as though these had never come."""

    async def then(_sleep, cancel, _come):
        for name in "bdfgi":
            cancel(name)

    expected = {name: time for time, name in enumerate("acehj")}
    assert queue.play(loop, "abcdefghij", then) == expected


@pytest.mark.parametrize("loop", LOOPS)
def test_time_that_has_passed_is_not_given_twice(queue, loop):
    """One moves up to this moment at the earliest, and the next a whole second later."""

    async def then(sleep, cancel, _come):
        await sleep(1.75)
        cancel("c")
        cancel("d")

    # "b" was let in at 1; "c" had 2, and the others had 4 and 5.
    assert queue.play(loop, "abcdef", then) == {"a": 0, "b": 1, "e": 2, "f": 3}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_new_rate_is_for_those_who_wait_already(queue, loop):
    """Faster, they are woken; slower, they wait on; in the same order."""

    async def then(sleep, _cancel, come):
        await sleep(1.5)
        queue.limit.reconfigure(limit=10)
        await sleep(0.1)
        queue.limit.reconfigure(limit=0.5)
        await come("f")

    # At 1.5 half a call is owed: it comes back in 0.05 s at the new rate, then one each 0.1 s. At
    # 1.6 half a call is owed again, which takes a second.
    assert queue.play(loop, "abcde", then) == {
        "a": 0,
        "b": 1,
        "c": 1.55,
        "d": 2.6,
        "e": 4.6,
        "f": 6.6,
    }


@pytest.mark.parametrize("end", ["close", "drop", "throw"])
def test_a_coroutine_that_ends_while_it_waits(clock, end):
    """Closed, thrown away, or thrown into: its time is given back."""
    limit = seawall.RateLimit(limit=1, max_wait=9)

    async def nop():
        pass

    async def main():
        await limit.call(nop)
        waiting = limit.call(nop)
        waiting.send(None)
        assert limit.snapshot().available == -1
        if end == "close":
            waiting.close()
        elif end == "drop":
            del waiting
            gc.collect()
        else:
            with pytest.raises(KeyError):
                waiting.throw(KeyError("x"))
        seen = limit.snapshot()
        assert (seen.available, seen.in_flight, seen.counts["abandoned"]) == (0, 0, 1)

    asyncio.run(main())


def test_a_generator_and_a_block_that_are_given_up(clock):
    """Their time is given back too."""
    limit = seawall.RateLimit(limit=1, max_wait=9)

    @limit
    async def pages():
        yield 1

    async def block():
        async with limit:
            pass

    async def main():
        async with limit:
            pass
        for coroutine in (pages().__anext__(), block()):
            task = asyncio.ensure_future(coroutine)
            await asyncio.sleep(0)
            assert limit.snapshot().in_flight == 1
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert limit.snapshot().available == 0

    asyncio.run(main())


def test_a_loop_that_is_closed_leaves_the_line(clock):
    """Its tasks can't be woken; who comes later is let in at its time."""
    limit = seawall.RateLimit(limit=1, max_wait=9)

    async def nop():
        return round(clock.elapsed, 6)

    async def abandon():
        await limit.call(nop)
        waiting = [limit.call(nop) for _ in range(3)]
        for coroutine in waiting:
            coroutine.send(None)
        return waiting

    waiting = asyncio.run(abandon())
    waiting[0].close()
    del waiting
    gc.collect()
    assert limit.snapshot().in_flight == 0
    assert asyncio.run(limit.call(nop)) == 1
