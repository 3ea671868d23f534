"""Calls that are answered for, in whatever way, or cut off meanwhile, leave nothing behind."""

import asyncio
import contextlib
import gc
import itertools
import sys
import types

import pytest
import seawall

from tests.policies.fallback.calls import counts


@types.coroutine
def pause():
    """Suspends once."""
    yield


class Paths:
    """Every path; run many times in a running loop."""

    def __init__(self):
        """Protects what the paths go through."""
        self.error = None
        self.same = LookupError("one object")
        self.argument = object()
        shut = seawall.CircuitBreaker()
        shut.force_open()
        self.value = seawall.Fallback("value", on_event=lambda event: event.error)
        self.chain = seawall.Fallback(self.fails, self.fails_same, self.later, "value")
        self.vain = seawall.Fallback(self.fails, self.fails_same, self.fails_later)
        self.plain = seawall.Fallback(self.fails, lambda error, argument: argument)
        self.memory = seawall.Fallback(stale=60, max_keys=3)
        self.keyed = seawall.Fallback(self.fails_later, stale=60, key="argument", max_keys=3)
        self.items_of = seawall.Fallback(self.fails, self.fails_items, ("a", "b"))
        self.policies = [self.chain, self.vain, self.memory, self.keyed]
        self.awaited = [
            protect(function)
            for protect in [self.value, *self.policies]
            for function in (self.go_later, shut(self.go_later))
        ]
        self.called = [
            protect(function)
            for protect in (self.value, self.plain, self.memory)
            for function in (self.go, shut(self.go))
        ]
        self.iterated = [self.items_of(self.items), self.items_of(shut(self.items))]
        self.iterated_later = [
            self.items_of(self.async_items),
            self.items_of(shut(self.async_items)),
        ]

    def go(self, argument):
        """Fails, or does not."""
        if self.error:
            raise self.error(argument)
        return argument

    async def go_later(self, argument):
        """Suspends, and does that."""
        await pause()
        return self.go(argument)

    def items(self, argument):
        """Fails before its first item, or does not."""
        yield self.go(argument)

    async def async_items(self, argument):
        """The same."""
        await pause()
        yield self.go(argument)

    def fails(self, error, argument):
        """A provider."""
        raise LookupError(argument)

    def fails_same(self, error, argument):
        """One that raises the same object each time."""
        raise self.same.with_traceback(None)

    async def fails_later(self, error, argument):
        """One that suspends before."""
        await pause()
        raise LookupError(argument) from error

    async def later(self, error, argument):
        """One that answers."""
        await pause()
        return argument

    def fails_items(self, error, argument):
        """One of items."""
        raise LookupError(argument)
        yield

    async def once(self):
        """Each: to its end, cancelled, closed, never begun; well and not."""
        self.same.__context__ = None
        for self.error in (None, ConnectionError):
            for argument in (self.argument, object()):
                await self.all_with(argument)

    async def all_with(self, argument):
        """Each path."""
        for call in self.awaited:
            tasks = [asyncio.ensure_future(call(argument)) for _ in range(3)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            call(argument).close()
            unfinished = call(argument)
            with contextlib.suppress(StopIteration, Exception):
                unfinished.send(None)
            unfinished.close()
        for call in self.called:
            with contextlib.suppress(ConnectionError, seawall.Rejected):
                call(argument)
        for call in self.iterated:
            list(call(argument))
            next(call(argument))
            call(argument).close()
        for call in self.iterated_later:
            async for _ in call(argument):
                pass
            items = call(argument)
            await anext(items)
            await items.aclose()
            call(argument)
        for policy in (self.value, self.memory):
            policy.try_call(self.go, argument)
            await policy.try_call(self.go_later, argument)


def test_nothing_is_kept():
    """The interpreter has as many blocks of memory after many rounds as after a few."""
    paths = Paths()

    async def rounds(count):
        for _ in range(count):
            await paths.once()

    def blocks(count):
        asyncio.run(rounds(count))
        gc.collect()
        return sys.getallocatedblocks()

    blocks(30)
    grown = [blocks(60) for _ in range(5)]
    assert min(late - early for early, late in itertools.pairwise(grown)) < 50, grown
    for fallback in (paths.value, paths.plain, paths.items_of, *paths.policies):
        seen = counts(fallback)
        assert "in_flight" not in seen
        assert sum(seen.values()) > 1_000
    assert counts(paths.memory)["stale"] > 1_000
    assert counts(paths.vain)["failed"] > 1_000
    assert counts(paths.vain)["passed"] > 1_000


@pytest.mark.parametrize("stale", [None, 60])
def test_exceptions_are_not_kept(stale):
    """Nor what their tracebacks lead to, once the call is over."""
    import weakref

    class Marked(Exception):
        pass

    refs = []

    def service():
        error = Marked()
        refs.append(weakref.ref(error))
        raise error

    def provider(error):
        other = Marked()
        refs.append(weakref.ref(other))
        raise other

    protected = seawall.fallback(provider, 5, stale=stale)(service)
    assert protected() == 5
    gc.collect()
    assert [ref() for ref in refs] == [None, None]
