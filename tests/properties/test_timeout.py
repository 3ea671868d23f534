"""Stacks of timeouts, retries and breakers give everything back, however a call ends."""

import asyncio
import contextlib
import gc
import random

import pytest
import seawall
import trio

from tests.properties.stacks import (
    KEYS,
    MineError,
    Steered,
    TroubleError,
    a_breaker,
    circuits,
    explore,
    no_place_is_lost,
    turn,
)

STACKS = 150
pytestmark = pytest.mark.filterwarnings(
    "ignore::seawall.CompositionWarning", "ignore::seawall.BlockingWaitWarning"
)


class Case:
    """A stack around a function, and how the function's calls end."""

    def __init__(self, seed, clock):
        """The same of the same seed."""
        self.chance = chance = random.Random(seed)
        self.clock = clock
        self.budget = seawall.RetryBudget(mode="concurrency")
        makers = [
            lambda: a_breaker(chance, clock),
            self.a_retry,
            *[lambda: seawall.Timeout(chance.choice([0.5, 1.5, 4, 60]))] * 2,
        ]
        self.layers = [chance.choice(makers)() for _ in range(chance.choice([1, 2, 3, 4, 6]))]
        self.around = chance.choice([None, None, 1, 60])
        self.key = chance.choice(KEYS)
        kinds = ["return", "transient", "transient", "trouble", "swallow", "check"]
        self.script = [
            (chance.choice(kinds), chance.randrange(3), chance.choice([0, 0, 1, 5]))
            for _ in range(40)
        ]
        self.inside = chance.choice([None, None, 2, 60])
        self.kind = chance.choice(["coroutine", "coroutine", "awaitable", "plain"])
        self.calls = 0
        self.guard = seawall.Pipeline(f"stack {seed}", *self.layers)

    def a_retry(self):
        """A retry of few attempts, with the budget."""
        return seawall.Retry(
            attempts=self.chance.choice([1, 2, 4]),
            on=self.chance.choice([None, Exception]),
            backoff=self.chance.choice([0, 1, seawall.exponential(1)]),
            nested=self.chance.choice(["inherit", "independent"]),
            budget=self.budget,
        )

    def rivals(self):
        """Nobody."""
        return ()

    async def later(self):
        """An attempt that suspends, and may take time."""
        what, turns, seconds = self.next()
        block = contextlib.AsyncExitStack()
        async with block:
            if self.inside is not None:
                await block.enter_async_context(seawall.deadline(self.inside))
            try:
                for _ in range(turns):
                    await turn()
                if seconds:
                    await self.clock.asleep(seconds)
            except (asyncio.CancelledError, trio.Cancelled):
                if what != "swallow":
                    raise
            return self.end(what)

    def plain(self):
        """An attempt that does not suspend."""
        what, _, seconds = self.next()
        self.clock.advance(seconds)
        return self.end(what)

    def next(self):
        """What the next attempt does."""
        self.calls += 1
        return self.script[self.calls - 1]

    def end(self, what):
        """Ends an attempt as the script says."""
        if what == "check":
            seawall.deadline.check()
        if what == "transient":
            raise ConnectionError(what)
        if what == "trouble":
            raise TroubleError(what)
        return what

    def function(self):
        """Protected, of the kind that was drawn."""
        if self.kind == "coroutine":

            async def function(key):
                return await self.later()
        elif self.kind == "awaitable":

            def function(key):
                return self.later()
        else:

            def function(key):
                return self.plain()

        return self.guard(function)

    def timed_out(self):
        """How many calls of its timeouts were."""
        timeouts = [layer for layer in self.layers if isinstance(layer, seawall.Timeout)]
        return sum(timeout.snapshot().counts["timed_out"] for timeout in timeouts)

    def check(self, told):
        """Nothing is in flight, armed, left in the context, or lost."""
        gc.collect()
        assert seawall.remaining() is None, told
        assert self.clock._calls == 0, (told, self.clock._calls)
        seen = self.budget.snapshot()
        assert (seen.in_flight, seen.retries_in_flight) == (0, 0), told
        for layer in self.layers:
            if isinstance(layer, seawall.CircuitBreaker):
                assert [it.in_flight for it in circuits(layer) if it.in_flight] == [], told
                no_place_is_lost(layer, told)
            else:
                assert layer.snapshot().in_flight == 0, (told, layer)


async def run(case, at, act):
    """One call, as far as it is to go. How often it suspended."""
    function = case.function()
    expected = (Exception, asyncio.CancelledError)
    if case.kind == "plain":
        with contextlib.suppress(*expected):
            if case.around is None:
                function(case.key)
            else:
                with seawall.deadline(case.around):
                    function(case.key)
        return 0
    turns = 0
    with contextlib.suppress(*expected):
        async with contextlib.AsyncExitStack() as stack:
            if case.around is not None:
                await stack.enter_async_context(seawall.deadline(case.around))
            made = function(case.key)
            steered = Steered(made, at, act)
            del made
            try:
                await steered
            finally:
                turns = steered.turns
    return turns


def test_nothing_is_lost(clock, host):
    """Nothing is in flight, no place is lost, no alarm is set, and no cancellation is left over."""

    def case(seed):
        return Case(seed, clock)

    def told(case, at):
        return {"timed out": case.timed_out() if at is None else 0}

    assert min(host.run(explore, host, case, run, STACKS, 6, told=told).values()) > 20


def test_what_is_thrown_in_comes_out(clock):
    """An error from outside is the caller's, whatever the alarms say."""

    async def main():
        case = Case(1, clock)

        async def work():
            await asyncio.sleep(0)

        call = seawall.Timeout(3)(seawall.Retry(budget=case.budget)(work))()
        call.send(None)
        with pytest.raises(MineError):
            call.throw(MineError("thrown"))
        case.check("thrown")

    asyncio.run(main())
