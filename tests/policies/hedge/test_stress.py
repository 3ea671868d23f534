"""Callers that are cancelled at any moment: no attempt is lost, none runs on."""

import asyncio
import contextlib
import random
import threading
import time
from contextvars import copy_context

import pytest
import seawall
import trio


def unsettled(hedge, budget):
    """What should be none when all is over."""
    seen, held = hedge.snapshot(), budget.snapshot()
    return (seen.in_flight, seen.losers, held.in_flight, held.retries_in_flight)


def ends(hedge):
    """How many calls have ended, in whatever way."""
    counts = hedge.snapshot().counts
    names = ("first", "hedged", "failed", "passed", "rejected", "cancelled")
    return sum(counts[name] for name in names)


class Chance:
    """A service that takes, and gives, what chance says; seeded."""

    def __init__(self, seed):
        """From now on."""
        self.chance = random.Random(seed)
        self.running = 0
        self.begun = 0

    async def work(self):
        """As a coroutine function."""
        self.running += 1
        self.begun += 1
        try:
            for _ in range(self.chance.randrange(4)):
                await seawall.waiting.asleep(self.chance.choice([0, 0.001, 0.01]))
            if self.chance.random() < 0.3:
                raise OSError
            return 1
        finally:
            if self.chance.random() < 0.1:
                # It takes its time to clean up.
                if trio.lowlevel.in_trio_task():
                    with trio.CancelScope(shield=True):
                        await seawall.waiting.asleep(0.001)
                else:
                    await asyncio.sleep(0)
            self.running -= 1


@pytest.mark.parametrize("seed", range(3))
def test_cancelled_at_random(run, clock, turns, seed):
    """Each call has an end, each attempt as well, and the budget has everything back."""
    chance = Chance(seed)
    budget = seawall.RetryBudget(mode="concurrency", ratio=0.5, min_concurrent=20)
    hedge = seawall.Hedge("h", delay=0.002, max_hedges=3, budget=budget)
    bulkhead = seawall.Bulkhead("b", max_concurrent=60)
    work = hedge(bulkhead(chance.work))
    calls = 300

    async def call():
        if trio.lowlevel.in_trio_task():
            with trio.CancelScope() as scope:
                if chance.chance.random() < 0.5:

                    async def cancel():
                        await seawall.waiting.asleep(chance.chance.random() / 100)
                        scope.cancel()

                    trio.lowlevel.spawn_system_task(cancel, context=copy_context())
                with_errors(await outcome())
        else:
            task = asyncio.ensure_future(outcome())
            if chance.chance.random() < 0.5:
                await seawall.waiting.asleep(chance.chance.random() / 100)
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                with_errors(await task)

    async def outcome():
        try:
            return await work()
        except (OSError, seawall.BulkheadFullError) as error:
            return error

    def with_errors(value):
        assert value == 1 or isinstance(value, Exception)

    async def main():
        if trio.lowlevel.in_trio_task():
            async with trio.open_nursery() as nursery:
                for _ in range(calls):
                    nursery.start_soon(call)
        else:
            await asyncio.gather(*(call() for _ in range(calls)))
        await seawall.waiting.asleep(1)
        await turns()
        assert chance.running == 0
        assert unsettled(hedge, budget) == (0, 0, 0, 0)
        assert bulkhead.snapshot().in_flight == 0

    run(main)
    counts = hedge.snapshot().counts
    # Of those that were cancelled before they began nobody knows.
    assert calls * 0.6 < ends(hedge) <= calls
    assert counts["hedges"] > 20
    assert chance.begun <= ends(hedge) + counts["hedges"]


def test_many_threads():
    """Callers in threads, attempts in others: all that was begun has ended, and is counted."""
    budget = seawall.RetryBudget(mode="concurrency", ratio=0.5, min_concurrent=10)
    hedge = seawall.Hedge("h", delay=0.0005, max_hedges=2, budget=budget)
    chance = random.Random(5)
    ran, wrong = [], []

    @hedge
    def work():
        ran.append(1)
        time.sleep(chance.choice([0, 0, 0.001, 0.002]))
        if chance.random() < 0.2:
            raise OSError
        return 1

    def calls():
        for _ in range(60):
            try:
                if work() != 1:
                    wrong.append("value")
            except OSError:
                pass
            except BaseException as error:
                wrong.append(error)
                raise

    threads = [threading.Thread(target=calls) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(5000):
        if unsettled(hedge, budget) == (0, 0, 0, 0):
            break
        time.sleep(0.001)
    assert wrong == []
    assert unsettled(hedge, budget) == (0, 0, 0, 0)
    counts = hedge.snapshot().counts
    assert ends(hedge) == 480
    assert len(ran) == 480 + counts["hedges"]
    assert hedge.snapshot().abandoned == 0
