"""Settings, every problem at once, and changes in place; delays that follow latencies."""

import asyncio
from datetime import timedelta

import pytest
import seawall


def problems(**settings):
    """What is wrong with them, by field."""
    with pytest.raises(seawall.ConfigError) as wrong:
        seawall.Hedge("wrong", **settings)
    return {problem.field: problem for problem in wrong.value.problems}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delay", -1),
        ("delay", float("nan")),
        ("delay", float("inf")),
        ("delay", "soon"),
        ("delay.share", seawall.quantile(0)),
        ("delay.share", seawall.quantile(1)),
        ("delay.share", seawall.quantile("most")),
        ("delay.min_samples", seawall.quantile(0.5, min_samples=0)),
        ("delay.min_samples", seawall.quantile(0.5, min_samples=20, window=10)),
        ("delay.window", seawall.quantile(0.5, window=9)),
        ("delay.window", seawall.quantile(0.5, window=100_001)),
        ("delay.initial", seawall.quantile(0.5, initial=-1)),
        ("delay.min_delay", seawall.quantile(0.5, min_delay="none")),
        ("delay.max_delay", seawall.quantile(0.5, min_delay=2, max_delay=1)),
        ("max_hedges", 0),
        ("max_hedges", 16),
        ("max_hedges", 1.5),
        ("max_losers", 0),
        ("max_threads", 0),
        ("budget", 3),
        ("on", KeyboardInterrupt),
        ("ignore", "OSError"),
        ("on_result", 1),
        ("on_event", 1),
        ("max_hedge", 1),
    ],
)
def test_what_is_wrong_is_named(field, value):
    """The setting, or the part of it."""
    assert set(problems(**{field.split(".")[0]: value})) == {field}


def test_all_at_once():
    """One error names every problem, also that of the name."""
    with pytest.raises(seawall.ConfigError) as wrong:
        seawall.hedge(name="", delay=-1, max_hedges=0, max_hegdes=2)
    found = {problem.field for problem in wrong.value.problems}
    assert found == {"name", "delay", "max_hedges", "max_hegdes"}


def test_defaults():
    """One further attempt, at the 95th percentile."""
    hedge = seawall.Hedge("h")
    settings = hedge.settings
    assert (settings["max_hedges"], settings["on"], settings["budget"]) == (1, Exception, None)
    delay = settings["delay"]
    assert delay == seawall.quantile(0.95, min_samples=100, window=1000, min_delay=0.001)
    assert repr(hedge) == "<Hedge 'h' after quantile(0.95)>"
    assert repr(seawall.quantile(0.5, initial=1)) == "quantile(0.5, initial=1)"
    assert hedge.snapshot().delay is None


def test_times_may_be_timedeltas():
    """A delay and the bounds of a quantile are seconds or timedeltas."""
    assert seawall.Hedge("a", delay=timedelta(milliseconds=50)).settings["delay"] == 0.05
    quick = seawall.quantile(0.5, min_delay=timedelta(seconds=1))
    assert seawall.Hedge("b", delay=quick).settings["delay"].min_delay == 1.0


def test_the_decorator_is_the_policy():
    """Bare, called, and by its name; named after its first function."""

    @seawall.hedge
    def bare():
        return 1

    assert bare() == 1
    assert bare.__policies__[0].name.endswith("bare")
    assert seawall.hedge("h", delay=1) is seawall.Hedge("h", delay=1)
    assert seawall.registry.get("hedge", "h") is seawall.hedge("h", delay=1)
    with pytest.raises(seawall.ConfigError, match="differs from"):
        seawall.Hedge("h", delay=2)
    with pytest.raises(TypeError, match="two names"):
        seawall.hedge("a", name="b")


def test_changes_hold_for_calls_that_begin_then(clock, service, counts):
    """A call that runs goes on as it began; counters are kept."""
    hedge = seawall.Hedge("h", delay=0.5)
    calls = service(1)
    hedged = hedge(calls.aanswer)

    async def main():
        first = asyncio.ensure_future(hedged())
        await seawall.waiting.asleep(0.1)
        hedge.reconfigure(delay=5)
        await first
        await hedged()

    asyncio.run(main())
    assert counts(hedge)["hedges"] == 1
    with pytest.raises(seawall.ConfigError):
        hedge.reconfigure(delay=-1)
    assert hedge.settings["delay"] == 5


def test_a_pipeline_reconfigures_it_and_its_budget():
    """By kind and by name."""
    budget = seawall.RetryBudget("shared")
    guard = seawall.Pipeline("p", seawall.Hedge("h", delay=1, budget="shared"))
    guard.reconfigure(hedge={"delay": 2}, budget={"ratio": 0.5})
    assert guard.policies[0].settings["delay"] == 2
    assert budget.settings["ratio"] == 0.5


def test_a_quantile_hedges_nothing_before_it_knows(clock, service, counts):
    """Then the slowest are hedged: those beyond what nearly all took."""
    hedge = seawall.Hedge("h", delay=seawall.quantile(0.9, min_samples=20, window=100))
    calls = service(10, *[0.1] * 19, 10, 0.01)
    hedged = hedge(calls.aanswer)

    async def main():
        for _ in range(20):
            await hedged()
        began = clock.elapsed
        assert await hedged() == 21
        return clock.elapsed - began

    elapsed = asyncio.run(main())
    assert 0.1 < elapsed < 0.12
    assert counts(hedge) == {"first": 20, "hedged": 1, "hedges": 1, "lost_cancelled": 1}
    seen = hedge.snapshot()
    assert (seen.samples, 0.1 < seen.delay < 0.107) == (21, True)


def test_failures_hedge_before_a_quantile_knows(clock, service):
    """An attempt that failed needs no delay."""
    hedge = seawall.Hedge("h")
    assert hedge(service((0.1, OSError()), 0.1).answer)() == 1


def test_initial_holds_until_a_quantile_knows(clock, service):
    """A delay for the time before."""
    hedge = seawall.Hedge("h", delay=seawall.quantile(0.9, initial=0.2))
    assert hedge(service(1, 0.1).answer)() == 1
    assert hedge.snapshot().delay == 0.2


def test_hedging_does_not_hide_slow_calls_from_its_quantile(clock):
    """The losers' times are samples: the delay stays where it was, and so does what it costs."""
    hedge = seawall.Hedge("h", delay=seawall.quantile(0.9, min_samples=50, window=100))
    number = 0

    @hedge
    async def work():
        nonlocal number
        number += 1
        await seawall.waiting.asleep(10 if number % 10 == 0 else 0.01 * (number % 10))

    async def main():
        for _ in range(1000):
            await work()

    asyncio.run(main())
    seen = hedge.snapshot()
    assert seen.delay > 0.08
    assert seen.counts["hedges"] < 200


def test_samples_outlast_a_change_of_the_share():
    """But not one of the window."""
    hedge = seawall.Hedge("h", delay=seawall.quantile(0.9, min_samples=1, window=100))
    for _ in range(30):
        hedge.call(int)
    hedge.reconfigure(delay=seawall.quantile(0.5, min_samples=1, window=100))
    assert hedge.snapshot().samples == 30
    hedge.reconfigure(delay=seawall.quantile(0.5, min_samples=1, window=200))
    assert hedge.snapshot().samples == 0
