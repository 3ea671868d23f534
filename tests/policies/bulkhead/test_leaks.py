"""Calls that wait, are refused, cancelled or thrown away leave nothing behind."""

import asyncio
import contextlib
import gc
import itertools
import sys

import seawall


class Paths:
    """Every path; run many times in a running loop."""

    def __init__(self):
        """Protects what the paths go through."""
        self.argument = "key"
        self.one = seawall.Bulkhead(max_concurrent=1, max_wait=5)
        self.keyed = seawall.Bulkhead(max_concurrent=1, max_wait=5, key="argument")
        self.strict = seawall.Bulkhead(max_concurrent=1, key="argument")
        self.calls = [
            self.one(self.work),
            self.keyed(self.work),
            self.consume,
            self.block,
            self.keyed_block,
        ]
        self.items = self.one(self.items)
        self.refused = self.strict(self.plain)

    async def work(self, argument):
        """Suspends."""
        await asyncio.sleep(0)

    def plain(self, argument):
        """Returns."""

    async def items(self, argument):
        """One."""
        yield argument

    async def consume(self, argument):
        """Takes it."""
        async for _ in self.items(argument):
            await asyncio.sleep(0)

    async def block(self, argument):
        """In a block."""
        async with self.one:
            await asyncio.sleep(0)

    async def keyed_block(self, argument):
        """In a block of a key."""
        async with self.keyed.block(key=argument):
            await asyncio.sleep(0)

    async def once(self):
        """Each: one is cancelled inside, one while it waits, and two have their turn."""
        for call in self.calls:
            tasks = [asyncio.ensure_future(call(self.argument)) for _ in range(4)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            tasks[2].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with self.strict.block(key=self.argument):
            with contextlib.suppress(seawall.BulkheadFullError):
                self.refused(self.argument)
            self.strict.block(key=self.argument).try_call(self.plain, self.argument)


def test_nothing_is_kept():
    """The interpreter has as many blocks of memory after a thousand rounds as after a few."""
    paths = Paths()

    async def rounds(count):
        for _ in range(count):
            await paths.once()

    def blocks(count):
        asyncio.run(rounds(count))
        gc.collect()
        return sys.getallocatedblocks()

    blocks(50)
    grown = [blocks(200) for _ in range(5)]
    assert min(late - early for early, late in itertools.pairwise(grown)) < 50, grown
    for bulkhead in (paths.one, paths.keyed):
        seen = bulkhead.snapshot()
        assert (seen.in_flight, seen.waiting) == (0, 0)
        assert min(seen.counts["waited"], seen.counts["cancelled"]) > 1000
