"""Calls in every form that tasks give them end at each of their suspensions, and keep nothing."""

import asyncio
import contextlib
import contextvars
import gc
import random

import pytest
import seawall
import trio

from tests.properties.stacks import MineError, Steered, Turn, fail, no_place_is_lost, turn

SEEDS = 90
MOST_ENDS = 8
pytestmark = pytest.mark.filterwarnings(
    "ignore::seawall.CompositionWarning",
    "ignore:Async generator .* was garbage collected:ResourceWarning",
)


class Steps:
    """How often a scenario has suspended, in whichever of its tasks; and what happens when."""

    def __init__(self, at, act):
        """``act`` at suspension ``at``."""
        self.at, self.act = at, act
        self.count = 0


class Counted(Steered):
    """One of its coroutines, which all count together."""

    def __init__(self, coroutine, steps):
        """Of ``steps``."""
        self.coroutine, self.steps = coroutine, steps
        self.at, self.act = steps.at, steps.act

    @property
    def turns(self):
        """The suspensions of all."""
        return self.steps.count

    @turns.setter
    def turns(self, count):
        self.steps.count = count


class Case:
    """Policies of all kinds, and a function whose calls end as chance says."""

    def __init__(self, seed, clock, steps):
        """The same of the same seed."""
        self.chance = chance = random.Random(seed)
        self.clock, self.steps = clock, steps
        self.budget = seawall.RetryBudget(mode=chance.choice(["concurrency", "ratio", "tokens"]))
        self.breaker = seawall.CircuitBreaker(
            failure_threshold=chance.choice([1, 2, 9]), open_duration=1, half_open_calls=1
        )
        self.retry = seawall.Retry(
            attempts=chance.choice([1, 2, 4]),
            on=chance.choice([None, Exception, (OSError, seawall.CircuitOpenError)]),
            on_result=chance.choice([None, lambda value: value == 2]),
            backoff=chance.choice([0, 1, 2]),
            max_duration=chance.choice([None, 3]),
            budget=self.budget,
        )
        self.timeout = seawall.Timeout(chance.choice([0.05, 1, 4]))
        if chance.random() < 0.3:
            self.breaker.try_call(fail, "down")
            clock.advance(chance.choice([0, 2]))
        order = chance.choice([(0, 1, 2), (1, 2, 0), (1, 0, 2)])
        all_of_them = (self.timeout, self.retry, self.breaker)
        self.guard = seawall.Pipeline("it", *(all_of_them[at] for at in order))
        self.around = chance.choice([None, None, 1, 60])

    async def body(self):
        """One attempt."""
        chance = self.chance
        for _ in range(chance.randrange(3)):
            await turn()
        if chance.random() < 0.3:
            await self.clock.asleep(chance.choice([0.1, 3]))
        drawn = chance.random()
        if drawn < 0.5:
            raise ConnectionError("down")
        if drawn < 0.6:
            raise ValueError("wrong")
        return chance.choice([1, 2])

    def check(self, told):
        """Nothing is in flight, no probe is lost, and no deadline or mark is left."""
        gc.collect()
        for policy in (self.retry, self.breaker, self.timeout):
            assert policy.snapshot().in_flight == 0, (told, policy)
        spent = self.budget.snapshot()
        assert (spent.in_flight, spent.retries_in_flight) == (0, 0), told
        assert seawall.remaining() is None, told
        marks = [
            value
            for variable, value in contextvars.copy_context().items()
            if variable.name == "seawall_retries" and value is not None and not value.over
        ]
        assert marks == [], told
        no_place_is_lost(self.breaker, told)


async def items(case):
    """An async generator, which may be left in the middle."""

    @seawall.Pipeline("items", case.retry, case.breaker)
    async def function():
        try:
            await case.body()
            yield 1
            await case.body()
            yield 2
        finally:
            await turn()

    async with contextlib.AsyncExitStack() as stack:
        given = function()
        if case.chance.random() < 0.5:
            await stack.enter_async_context(contextlib.aclosing(given))
        async for _ in given:
            await turn()
            if case.chance.random() < 0.3:
                break


async def loop(case):
    """A loop of attempts, each with a deadline of its own."""
    async for attempt in case.retry:
        async with attempt, seawall.deadline(case.chance.choice([0.05, 1, 10])):
            attempt.returned(await case.breaker.call(case.body))


async def block(case):
    """A loop of attempts around a breaker's block."""
    async for attempt in case.retry:
        with attempt:
            async with case.breaker:
                await case.timeout.call(case.body)
            if case.chance.random() < 0.2:
                break


async def outcome(case):
    """A call whose errors are values."""
    await case.guard.try_call(case.body)


async def plan(case):
    """A call."""
    await case.guard.call(case.body)


async def tasks(case):
    """Several at once, which all come to their end."""
    await asyncio.gather(*(waits(case) for _ in range(3)), return_exceptions=True)


async def group(case):
    """Several at once, of which the first that fails cancels the others."""
    async with asyncio.TaskGroup() as made:
        for _ in range(3):
            made.create_task(waits(case))


async def nursery(case):
    """The same, of trio's."""
    async with trio.open_nursery() as made:
        for _ in range(3):
            made.start_soon(waits, case)


async def waits(case):
    """A call through all of its policies."""
    return await Counted(case.guard(case.body)(), case.steps)


async def scenario(form, case):
    """One of these, perhaps inside of a deadline."""
    async with contextlib.AsyncExitStack() as stack:
        if case.around is not None:
            await stack.enter_async_context(seawall.deadline(case.around))
        await form(case)


async def explore(clock, form, cancel, shielded):
    """Each case once undisturbed, then ended at its suspensions. How many cases there were."""
    cases = 0
    for seed in range(SEEDS):
        ends, at = [None], 0
        while at < len(ends):
            end = ends[at]
            act = "throw" if (seed + at) % 4 == 3 and form not in SEVERAL else "cancel"
            steps = Steps(end, cancel if act == "cancel" else act)
            with seawall.testing.isolated(), seawall.testing.seed(seed):
                case = Case(seed, clock, steps)
                await shielded(lambda case=case: Counted(scenario(form, case), case.steps))
                case.check((form.__name__, seed, end, act))
            if end is None:
                every = max(1, steps.count // MOST_ENDS)
                ends += range(1, steps.count + 1, every)
            at += 1
            cases += 1
    return cases


SEVERAL = (tasks, group, nursery)
"""What is thrown into these would be thrown into the loop's own futures."""

EXPECTED = (Exception, asyncio.CancelledError, BaseExceptionGroup, MineError)
FORMS = [items, loop, block, outcome, plan]


@pytest.mark.parametrize("form", [*FORMS, tasks, group], ids=lambda form: form.__name__)
def test_on_asyncio(clock, monkeypatch, form):
    """No permit, probe, budget or timer is lost, and no cancellation but the user's is left."""
    monkeypatch.setattr(Turn, "how", staticmethod(lambda: asyncio.sleep(0)))
    cancelled = []

    async def main():
        task = asyncio.current_task()

        def cancel():
            cancelled.append(1)
            task.cancel()

        async def shielded(make):
            cancelled.clear()
            with contextlib.suppress(*EXPECTED):
                await make()
            # The group's own cancellation of its parent stays on some Pythons.
            assert form is group or task.cancelling() == len(cancelled)
            while task.uncancel():
                pass
            gc.collect()
            # The end of a generator that was left becomes a task only in the loop's next turn.
            await asyncio.sleep(0)
            while others := asyncio.all_tasks() - {task}:
                await asyncio.wait(others)

        return await explore(clock, form, cancel, shielded)

    assert asyncio.run(main()) > SEEDS


@pytest.mark.parametrize("form", [*FORMS, nursery], ids=lambda form: form.__name__)
def test_on_trio(clock, monkeypatch, form):
    """The same, cancelled by scopes of trio's."""
    monkeypatch.setattr(Turn, "how", staticmethod(trio.lowlevel.checkpoint))
    scopes = []

    async def shielded(make):
        with contextlib.suppress(*EXPECTED), trio.CancelScope() as scope:
            scopes.append(scope)
            await make()
        gc.collect()
        for _ in range(3):
            await trio.lowlevel.checkpoint()

    cases = trio.run(explore, clock, form, lambda: scopes[-1].cancel(), shielded)
    assert cases > SEEDS
