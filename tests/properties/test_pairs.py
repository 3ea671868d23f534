"""Each policy in each other: however a call through the two ends, both give everything back."""

import asyncio
import contextlib
import contextvars
import gc
import itertools

import pytest
import seawall
import trio

from tests.properties.test_retry import ACTS, Steered, Turn, circuits, no_place_is_lost, turn

pytestmark = pytest.mark.filterwarnings(
    "ignore::seawall.CompositionWarning", "ignore::seawall.BlockingWaitWarning"
)
#: At most so many of a call's suspensions are where it is ended.
MOST_ENDS = 5


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


POLICIES = (breaker, retry, timeout, bulkhead, rate_limit)
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
        guard = seawall.Pipeline("pair", *self.layers)

        @guard
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

    async def call(self, at=None, act=None):
        """One call, as far as it is to go. How often it suspended."""
        steered = Steered(self.function(), at, act)
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await steered
        return steered.turns

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


async def explore(pair, clock, cancel, shielded):
    """Each script undisturbed, and twice at once; then ended at each suspension in each way."""
    for script in SCRIPTS:
        with seawall.testing.isolated():
            case = Case(pair, script, clock)
            turns = await case.call()
            case.check((script, None))
        for at, act in itertools.product(range(1, min(turns, MOST_ENDS) + 1), ACTS):
            with seawall.testing.isolated():
                case = Case(pair, script, clock)
                await shielded(case, at, cancel if act == "cancel" else act)
                case.check((script, at, act))
                # What was ended leaves the pair as good as new.
                clock.advance(10)
                await case.call()
                case.check((script, at, act, "again"))


def named(pair):
    """As in the name of a test."""
    return "-".join(make.__name__ for make in pair)


@pytest.fixture(autouse=True)
def clock():
    """Waits take no time."""
    with seawall.testing.clock(autojump=True) as clock, seawall.testing.seed(1):
        yield clock


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_on_asyncio(clock, monkeypatch, pair):
    """Every attempt that began has ended, nothing is kept, no cancellation is left over."""
    monkeypatch.setattr(Turn, "how", staticmethod(lambda: asyncio.sleep(0)))

    def cancel():
        asyncio.current_task().cancel()

    async def shielded(case, at, act):
        task = asyncio.current_task()
        await case.call(at, act)
        left = task.cancelling()
        assert left == (1 if act is cancel else 0), (case.script, at, act)
        while task.uncancel():
            pass

    asyncio.run(explore(pair, clock, cancel, shielded))


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_on_trio(clock, monkeypatch, pair):
    """The same, cancelled by scopes of trio's."""
    monkeypatch.setattr(Turn, "how", staticmethod(trio.lowlevel.checkpoint))
    scopes = []

    async def shielded(case, at, act):
        with trio.CancelScope() as scope:
            scopes.append(scope)
            await case.call(at, act)

    trio.run(explore, pair, clock, lambda: scopes[-1].cancel(), shielded)
