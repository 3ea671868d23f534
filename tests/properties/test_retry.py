"""Stacks of retries, breakers and fallbacks give all back, however a call through them ends."""

import asyncio
import contextlib
import contextvars
import gc
import random

import pytest
import seawall

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

STACKS = 120
pytestmark = pytest.mark.filterwarnings(
    "ignore::seawall.CompositionWarning", "ignore::seawall.BlockingWaitWarning"
)
ENDS = ("success", "failure", "ignored", "cancelled", "late")


def a_retry(chance):
    """A retry of few attempts."""
    return seawall.Retry(
        attempts=chance.choice([1, 2, 3]),
        on=chance.choice([None, Exception, seawall.Rejected]),
        on_result=chance.choice([None, lambda value: value == "bad"]),
        backoff=chance.choice([0, 1, seawall.exponential(1)]),
        max_duration=chance.choice([None, None, 2]),
        nested=chance.choice(["inherit", "independent", "independent", "refuse"]),
        reraise=chance.choice([True, True, False]),
    )


class Case:
    """A stack around a function, and how the function's calls end."""

    def __init__(self, seed, clock):
        """The same of the same seed."""
        chance = random.Random(seed)
        makers = [lambda: a_retry(chance), lambda: a_breaker(chance, clock)]
        self.layers = [chance.choice(makers)() for _ in range(chance.choice([1, 2, 3, 4, 6]))]
        self.key = chance.choice(KEYS)
        kinds = ["return", "bad", "transient", "transient", "transient", "trouble"]
        self.script = [(chance.choice(kinds), chance.randrange(3)) for _ in range(40)]
        self.kind = chance.choice(
            ["coroutine"] * 3 + ["awaitable"] * 2 + ["async generator"] * 2 + ["generator", "plain"]
        )
        self.calls = 0
        self.add(chance)
        self.guard = seawall.Pipeline(f"stack {seed}", *self.layers)
        self.before = [settled(layer) for layer in self.layers]

    def rivals(self):
        """Nobody."""
        return ()

    def add(self, chance):
        """Adds further layers."""

    def end(self, what):
        """Ends an attempt as the script says."""
        if what == "transient":
            raise ConnectionError(what)
        if what == "trouble":
            raise TroubleError(what)
        return what

    def next(self):
        """What the next attempt does."""
        self.calls += 1
        return self.script[self.calls - 1]

    async def later(self, key):
        """An attempt that suspends."""
        what, turns = self.next()
        for _ in range(turns):
            await turn()
        return self.end(what)

    def plain(self, key):
        """An attempt that does not."""
        return self.end(self.next()[0])

    def items(self, key):
        """An attempt that gives items."""
        what, turns = self.next()
        if turns == 0:
            self.end(what)
        yield from range(2)
        return self.end(what)

    def function(self):
        """Protected, of the kind that was drawn."""
        if self.kind == "coroutine":

            async def function(key):
                return await self.later(key)
        elif self.kind == "awaitable":

            def function(key):
                return self.later(key)
        elif self.kind == "async generator":

            async def function(key):
                yield await self.later(key)
                await turn()
        elif self.kind == "generator":

            def function(key):
                return (yield from self.items(key))
        else:

            def function(key):
                return self.plain(key)

        return self.guard(function)

    def check(self, told):
        """Everything is given back, and each admission was settled once."""
        gc.collect()
        arrived = None
        for layer, before in zip(self.layers, self.before, strict=True):
            now = settled(layer)
            ended, refused, begun = (a - b for a, b in zip(now, before, strict=True))
            in_flight = in_flight_of(layer)
            assert in_flight == 0, (told, layer, in_flight)
            if arrived is not None:
                assert arrived == ended + refused, (told, layer, arrived, ended, refused)
            arrived = begun
        assert arrived == self.calls, (told, arrived, self.calls)
        marks = [
            value
            for variable, value in contextvars.copy_context().items()
            if variable.name == "seawall_retries" and value is not None and not value.over
        ]
        assert marks == [], told
        for layer in self.layers:
            if isinstance(layer, seawall.CircuitBreaker):
                no_place_is_lost(layer, told)


class Answered(Case):
    """The same with fallbacks among the others, whose providers suspend and fail in their turn."""

    def add(self, chance):
        """One or two."""
        for _ in range(chance.choice([1, 1, 2])):
            number = chance.choice([0, 1, 2, 3])
            providers = [self.provider(chance) for _ in range(number)]
            if chance.random() < 0.5:
                providers.append(("value",))
            items = "generator" in self.kind
            fallback = (
                seawall.Fallback(
                    *providers,
                    on=chance.choice([None, None, ConnectionError, seawall.Rejected]),
                    on_result=chance.choice([None, lambda value: value == "bad"]),
                    stale=None if items or (providers and chance.random() < 0.5) else 60,
                )
                if providers or not items
                else seawall.Fallback(())
            )
            self.layers.insert(chance.randrange(len(self.layers) + 1), fallback)

    def provider(self, chance):
        """One of the kind that fits."""
        fails, turns = chance.random() < 0.5, chance.randrange(3)

        def end():
            if fails:
                raise TroubleError("provider")
            return "provided"

        async def later(error, key):
            for _ in range(turns):
                await turn()
            return end()

        async def async_items(error, key):
            for _ in range(turns):
                await turn()
            yield end()

        def items(error, key):
            yield end()

        return {
            "coroutine": later,
            "awaitable": lambda error, key: later(error, key),
            "async generator": async_items,
            "generator": items,
            "plain": lambda error, key: end(),
        }[self.kind]


def in_flight_of(layer):
    """Calls let in and not ended."""
    seen = circuits(layer) if isinstance(layer, seawall.CircuitBreaker) else [layer.snapshot()]
    return sum(snapshot.in_flight for snapshot in seen)


def settled(layer):
    """Calls that ended, calls that were refused, and how often it called what is further in."""
    if isinstance(layer, seawall.CircuitBreaker):
        counts = [snapshot.counts for snapshot in circuits(layer)]
        ended = sum(count[what] for count in counts for what in ENDS)
        return ended, sum(count["rejected"] for count in counts), ended
    counts = dict(layer.snapshot().counts)
    if isinstance(layer, seawall.Fallback):
        del counts["unkeyed"], counts["unkept"]
        ended = sum(counts.values())
        return ended, 0, ended
    retries, refused = counts.pop("retries"), counts.pop("rejected")
    ended = sum(counts.values())
    return ended, refused, ended + retries


async def run(case, at, act):
    """One call, as far as it is to go. How often it suspended."""
    function = case.function()
    expected = (Exception, asyncio.CancelledError)
    turns = 0
    if case.kind in ("coroutine", "awaitable"):
        with contextlib.suppress(*expected):
            made = function(case.key)
            steered = Steered(made, at, act)
            del made
            try:
                await steered
            finally:
                turns = steered.turns
        return turns
    if case.kind == "async generator":
        made = function(case.key)
        # An item that is given up half-way leaves a bare async generator running for ever as well.
        act = "throw" if act in ("close", "drop") else act
        for _ in range(2):
            with contextlib.suppress(*expected):
                steered = Steered(made.__anext__(), at, act)
                try:
                    await steered
                finally:
                    turns += steered.turns
                    at = at and at - steered.turns
        with contextlib.suppress(*expected):
            await made.aclose()
        return turns
    with contextlib.suppress(*expected):
        if case.kind == "plain":
            function(case.key)
            return 0
        use(function(case.key), at, act)
    return 3


def use(items, at, act):
    """Iterates, and ends it in some way after so many items."""
    for number in range(4):
        if number + 1 == at:
            if act == "throw":
                items.throw(MineError("thrown"))
            elif act == "close":
                items.close()
            elif act == "drop":
                return
        next(items)


@pytest.mark.parametrize("make", [Case, Answered])
def test_nothing_is_lost(clock, host, make):
    """Nothing is in flight, no place is lost, no mark is left, and all was settled once."""

    def case(seed):
        return make(seed, clock)

    assert min(host.run(explore, host, case, run, STACKS, 8).values()) > 20
