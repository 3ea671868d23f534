"""Stacks with bulkheads give every permit back, however a call ends, also one that waits for it."""

import asyncio
import contextlib

import pytest
import seawall
import trio
import trio.testing

from tests.properties.test_retry import ACTS, KEYS, Turn
from tests.properties.test_timeout import Case as Timed
from tests.properties.test_timeout import run

STACKS = 150
pytestmark = pytest.mark.filterwarnings(
    "ignore::seawall.CompositionWarning", "ignore::seawall.BlockingWaitWarning"
)


class Case(Timed):
    """A stack with bulkheads, of which others hold the permits for a while."""

    def __init__(self, seed, clock):
        """The same of the same seed."""
        super().__init__(seed, clock)
        chance = self.chance
        self.bulkheads = [self.a_bulkhead() for _ in range(chance.choice([1, 1, 2]))]
        for bulkhead in self.bulkheads:
            self.layers.insert(chance.randrange(len(self.layers) + 1), bulkhead)
        self.guard = seawall.Pipeline(f"stack {seed}", *self.layers)
        #: How long others hold the permits of each bulkhead; None: nobody does.
        self.held = [chance.choice([None, 0.5, 2, 100]) for _ in self.bulkheads]

    def a_bulkhead(self):
        """One of few permits, one for all or for each key; often calls wait."""
        chance = self.chance
        return seawall.Bulkhead(
            max_concurrent=chance.choice([1, 2]),
            max_wait=chance.choice([0, 1, 10]),
            key=chance.choice([None, None, "key"]),
        )

    def rivals(self):
        """Whoever holds permits."""
        for bulkhead, seconds in zip(self.bulkheads, self.held, strict=True):
            for _ in range(bulkhead.settings["max_concurrent"] if seconds else 0):
                yield self.rival(bulkhead, seconds)

    async def rival(self, bulkhead, seconds):
        """Holds a permit."""
        keyed = bulkhead.settings["key"] is not None
        async with bulkhead.block(key=self.key) if keyed else bulkhead:
            await self.clock.asleep(seconds)

    def check(self, told):
        """As for timeouts; and nobody waits, and all permits can be had."""
        super().check(told)
        for bulkhead in self.bulkheads:
            assert bulkhead.snapshot().waiting == 0, (told, bulkhead)
            keyed = bulkhead.settings["key"] is not None
            for key in KEYS if keyed else KEYS[:1]:
                block = bulkhead.block(key=key) if keyed else bulkhead
                with contextlib.ExitStack() as stack:
                    for _ in range(bulkhead.settings["max_concurrent"]):
                        stack.enter_context(block)

    @property
    def waited(self):
        """How many calls have waited, by what came of it."""
        counts = [bulkhead.snapshot().counts for bulkhead in self.bulkheads]
        return {
            what: sum(count[what] for count in counts)
            for what in ("waited", "timed_out", "cancelled")
        }


async def explore(clock, cancel, shielded, with_rivals):
    """Each stack once undisturbed, then ended at each of its suspensions in every way."""
    ended = dict.fromkeys([*ACTS, "waited", "timed_out", "cancelled"], 0)

    async def one(seed, at, act):
        with seawall.testing.isolated():
            case = Case(seed, clock)
            turns = []

            async def call():
                if at is None:
                    turns.append(await run(case, None, None))
                else:
                    await shielded(case, at, cancel if act == "cancel" else act)

            await with_rivals(case, call)
            case.check((seed, at, act))
            for what, count in case.waited.items():
                ended[what] += count
            return turns

    for seed in range(STACKS):
        [turns] = await one(seed, None, None)
        for at in range(1, min(turns, 6) + 1):
            act = ACTS[(seed + at) % len(ACTS)]
            await one(seed, at, act)
            ended[act] += 1
    assert min(ended.values()) > 20, ended


@pytest.fixture(autouse=True)
def clock():
    """Waits take no time."""
    with seawall.testing.clock(autojump=True) as clock, seawall.testing.seed(1):
        yield clock


def test_on_asyncio(clock, monkeypatch):
    """No permit is lost or given back twice, nobody is left in a queue, and nothing else is."""
    monkeypatch.setattr(Turn, "how", staticmethod(lambda: asyncio.sleep(0)))

    def cancel():
        asyncio.current_task().cancel()

    async def shielded(case, at, act):
        task = asyncio.current_task()
        await run(case, at, act)
        left = task.cancelling()
        assert left == (1 if act is cancel else 0), (case.guard, at, act)
        while task.uncancel():
            pass

    async def with_rivals(case, call):
        rivals = [asyncio.create_task(rival) for rival in case.rivals()]
        await asyncio.sleep(0)
        await call()
        await asyncio.gather(*rivals)

    asyncio.run(explore(clock, cancel, shielded, with_rivals))


def test_on_trio(clock, monkeypatch):
    """The same, cancelled by scopes of trio's."""
    monkeypatch.setattr(Turn, "how", staticmethod(trio.lowlevel.checkpoint))
    scopes = []

    async def shielded(case, at, act):
        with trio.CancelScope() as scope:
            scopes.append(scope)
            await run(case, at, act)

    async def with_rivals(case, call):
        async with trio.open_nursery() as nursery:
            for rival in case.rivals():
                nursery.start_soon(lambda rival=rival: rival)
            await trio.testing.wait_all_tasks_blocked()
            await call()

    trio.run(explore, clock, lambda: scopes[-1].cancel(), shielded, with_rivals)
