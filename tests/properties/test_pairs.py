"""Each policy in each other: however a call through the two ends, both give everything back."""

import asyncio
import contextlib
import contextvars
import gc
import itertools

import pytest
import seawall
import trio

from tests.properties.stacks import ACTS, Steered, circuits, no_place_is_lost, turn

pytestmark = pytest.mark.filterwarnings(
    "ignore::seawall.CompositionWarning", "ignore::seawall.BlockingWaitWarning"
)
#: At most so many of a call's suspensions are where it is ended.
MOST_ENDS = 5
TURNS = 6


def breaker():
    """One that opens soon, and lets a probe in soon."""
    return seawall.CircuitBreaker(failure_threshold=2, open_duration=1, half_open_calls=1)


def retry():
    """Three attempts, of what a policy further in refused as well."""
    return seawall.Retry(attempts=3, on=Exception, backoff=0.5, budget=seawall.RetryBudget())


def timeout():
    """Less than the work takes where it hangs."""
    return seawall.Timeout(2)


def bulkhead():
    """One call at a time, and the next waits."""
    return seawall.Bulkhead(max_concurrent=1, max_wait=1)


def rate_limit():
    """A call a second, and the next waits."""
    return seawall.RateLimit(limit=1, burst=1, max_wait=1.5)


def fallback():
    """Another provider, which takes its time as well."""

    async def provider(error):
        await turn()
        return "instead"

    return seawall.Fallback(provider)


def hedge():
    """One more attempt, soon."""
    return seawall.Hedge(delay=0.5, budget=seawall.RetryBudget(mode="concurrency"))


POLICIES = (breaker, retry, timeout, bulkhead, rate_limit, fallback, hedge)
PAIRS = list(itertools.product(POLICIES, repeat=2))
#: What the attempts of a call do, one after the other; the last again and again.
SCRIPTS = (
    ("return",),
    ("fail", "return"),
    ("fail",),
    ("hang",),
    ("hang", "fail", "return"),
    ("swallow",),
)


class TroubleError(Exception):
    """What fails."""


class Case:
    """A pair around a function."""

    def __init__(self, pair, script, clock):
        """Which does what the script says."""
        self.clock, self.script = clock, script
        self.layers = [make() for make in pair]
        self.begun = self.ended = 0
        self.guard = seawall.Pipeline("pair", *self.layers)

        @self.guard
        async def function():
            what = script[min(self.begun, len(script) - 1)]
            self.begun += 1
            try:
                await turn()
                if what in ("hang", "swallow"):
                    await clock.asleep(5)
                if what == "fail":
                    raise TroubleError
            except (asyncio.CancelledError, trio.Cancelled):
                if what != "swallow":
                    raise
            finally:
                self.ended += 1
            return what

        self.function = function

    def check(self, told):
        """Nothing runs, waits, is armed, left in the context, or lost."""
        gc.collect()
        assert self.ended == self.begun, told
        assert seawall.remaining() is None, told
        assert self.clock._calls == 0, (told, self.clock._calls)
        marks = [
            value
            for variable, value in contextvars.copy_context().items()
            if variable.name == "seawall_retries" and value is not None and not value.over
        ]
        assert marks == [], told
        for layer in self.layers:
            if isinstance(layer, seawall.CircuitBreaker):
                assert [it.in_flight for it in circuits(layer)] == [0], told
                no_place_is_lost(layer, told)
                continue
            seen = layer.snapshot()
            assert getattr(seen, "in_flight", 0) == 0, (told, layer)
            assert getattr(seen, "waiting", 0) == 0, (told, layer)
            budget = layer.settings.get("budget")
            if budget is not None:
                spent = budget.snapshot()
                assert (spent.in_flight, spent.retries_in_flight) == (0, 0), told


async def run(case, at, act):
    """One call, as far as it is to go. How often it suspended."""
    steered = Steered(case.function(), at, act)
    with contextlib.suppress(Exception, asyncio.CancelledError):
        await steered
    return steered.turns


async def settled(host):
    """A hedge's losers, which are cancelled and not waited for, have had their last turns."""
    for _ in range(TURNS):
        await host.turn()


async def explore(host, pair, clock):
    """Each script undisturbed; then ended at each suspension in each way, and called again."""
    for script in SCRIPTS:
        with seawall.testing.isolated():
            case = Case(pair, script, clock)
            turns = await run(case, None, None)
            await settled(host)
            case.check((script, None))
        for at, act in itertools.product(range(1, min(turns, MOST_ENDS) + 1), ACTS):
            with seawall.testing.isolated():
                case = Case(pair, script, clock)
                await host.bounded(run, case, at, act)
                await settled(host)
                case.check((script, at, act))
                # What was ended leaves the pair as good as new.
                clock.advance(10)
                await run(case, None, None)
                await settled(host)
                case.check((script, at, act, "again"))


@pytest.mark.parametrize(
    "pair", PAIRS, ids=lambda pair: "-".join(policy.__name__ for policy in pair)
)
def test_everything_is_given_back(clock, host, pair):
    """Every attempt that began has ended, nothing is kept, no cancellation is left over."""
    host.run(explore, host, pair, clock)
