"""Calls leave nothing behind, however they end."""

import asyncio
import contextlib
import gc
import itertools
import threading
import time
import weakref

import pytest
import seawall
import trio
from trio.testing import wait_all_tasks_blocked


class Answer:
    """Can be followed."""


class Paths:
    """Every way that an async call ends, many times."""

    def __init__(self):
        """Hedges at once."""
        self.begun = 0
        self.objects = weakref.WeakSet()
        self.quick = seawall.Hedge("quick", delay=60)(self.answer)
        self.both = seawall.Hedge("both", delay=0)(self.answer)
        self.fails = seawall.Hedge("fails", delay=60)(self.fail)
        guard = seawall.Pipeline(
            "whole",
            seawall.Retry("r", attempts=2, on=OSError, backoff=0),
            seawall.Hedge("h", delay=0),
            seawall.Bulkhead("b", max_concurrent=2),
        )
        self.whole = guard(self.answer)
        self.guard = guard
        self.hangs = seawall.Hedge("hangs", delay=0)(self.hang)

    async def answer(self, argument):
        """Suspends."""
        await seawall.waiting.asleep(0)
        answer = Answer()
        self.objects.add(answer)
        return answer

    async def fail(self, argument):
        """Suspends."""
        await seawall.waiting.asleep(0)
        raise self.error()

    def error(self):
        """Kept by nobody here: a frame that holds what it raises is a cycle of its own."""
        error = OSError()
        error.answer = Answer()
        self.objects.add(error.answer)
        return error

    async def hang(self, argument):
        """Waits."""
        await seawall.waiting.asleep(3600)

    async def once(self, start):
        """Each."""
        argument = Answer()
        self.objects.add(argument)
        for call in (self.quick, self.both, self.whole):
            await call(argument)
        await self.guard.try_call(self.answer, argument)
        with contextlib.suppress(OSError):
            await self.fails(argument)
        await start(self.hangs, argument)


async def _cancelled(function, *args):
    if trio.lowlevel.in_trio_task():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(function, *args)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    else:
        task = asyncio.ensure_future(function(*args))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_objects_are_freed_without_the_collector(run, turns):
    """Arguments, answers and errors go when the call is over: no cycle holds them."""
    paths = Paths()

    async def main():
        await paths.once(_cancelled)
        await turns()
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                await paths.once(_cancelled)
                await turns()
            assert not paths.objects
        finally:
            gc.enable()

    run(main)
    gc.collect()
    assert not paths.objects


def test_memory_stays(run, turns):
    """A thousand calls later there are as many objects as before."""
    paths = Paths()

    async def main():
        for _ in range(20):
            await paths.once(_cancelled)
        await turns()
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(200):
            await paths.once(_cancelled)
        await turns()
        gc.collect()
        assert len(gc.get_objects()) < before + 100

    run(main)


def test_threads_free_what_they_ran(service):
    """The answers of losers, their arguments and errors go with their end."""
    kept = weakref.WeakSet()
    go = threading.Event()
    hedge = seawall.Hedge("h", delay=0)
    numbers = itertools.count(1)

    @hedge
    def work(argument):
        if next(numbers) % 2:
            go.wait(30)
            error = OSError()
            error.argument = argument
            raise error
        return 1

    argument = Answer()
    kept.add(argument)
    for _ in range(5):
        assert work(argument) == 1
    del argument
    go.set()
    for _ in range(3000):
        if not hedge.snapshot().losers and not hedge.snapshot().abandoned:
            break
        time.sleep(0.001)
    # The last thing that a thread does is to forget what it ran.
    for _ in range(3000):
        if not kept:
            break
        time.sleep(0.001)
        gc.collect()
    assert not kept
    assert hedge.snapshot().counts["lost_failed"] == 5


def test_hedges_and_functions_are_freed():
    """A hedged function holds its hedge, and nothing holds either."""

    def make():
        async def work():
            return 1

        hedge = seawall.Hedge(delay=1, on=lambda error: hedge is not None)
        guard = seawall.Pipeline("p", hedge, seawall.CircuitBreaker())
        function = guard(work)
        asyncio.run(function())
        asyncio.run(guard.call(work))
        return [weakref.ref(one) for one in (work, hedge, guard, function)]

    gone = make()
    gc.collect()
    assert [ref() for ref in gone] == [None] * 4
