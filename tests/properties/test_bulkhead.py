"""Stacks with bulkheads give every permit back, however a call ends, also one that waits for it."""

import contextlib

import pytest
import seawall

from tests.properties.stacks import KEYS, explore
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


def test_nothing_is_lost(clock, host):
    """No permit is lost or given back twice, nobody is left in a queue, and nothing else is."""

    def case(seed):
        return Case(seed, clock)

    def told(case, at):
        return case.waited

    assert min(host.run(explore, host, case, run, STACKS, 6, told=told).values()) > 20
