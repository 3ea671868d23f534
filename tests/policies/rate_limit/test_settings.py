"""Settings: what is right, every problem at once, and changes in place."""

from datetime import timedelta

import pytest
import seawall

from tests.policies.rate_limit.calls import admitted, nothing


def problems(**settings):
    """What is wrong with them, by field."""
    with pytest.raises(seawall.ConfigError) as wrong:
        seawall.RateLimit("wrong", **{"limit": 10, **settings})
    return {problem.field: problem for problem in wrong.value.problems}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", -1),
        ("limit", "ten"),
        ("limit", True),
        ("limit", float("nan")),
        ("limit", 1e12),
        ("limit", 2e8),
        ("per", 0),
        ("per", -1),
        ("per", "fortnight"),
        ("per", float("inf")),
        ("per", timedelta(days=36_500)),
        ("burst", 0),
        ("burst", 0.5),
        ("burst", "all"),
        ("burst", 1e12),
        ("cost", -1),
        ("cost", "two"),
        ("cost", 11),
        ("max_wait", -1),
        ("max_wait", "long"),
        ("on_event", 1),
        ("key", 5),
        ("max_keys", 5),
        ("key_idle", 5),
    ],
)
def test_what_is_wrong_is_named(field, value):
    """The setting, and the value that it was given."""
    found = problems(**{field: value})
    assert list(found) == [field]
    if not isinstance(value, str):
        assert found[field].value in {repr(value), "given"}


def test_all_at_once():
    """One error names every problem, and the nearest name of each that is unknown."""
    found = problems(limit=0, per="minutes", burst=0, brust=3, cost=-1, key=1)
    assert set(found) == {"limit", "per", "burst", "brust", "cost", "key"}
    assert (found["per"].nearest, found["brust"].nearest) == ("minute", "burst")


def test_the_limit_must_be_given():
    """There is none that suits everybody."""
    with pytest.raises(seawall.ConfigError, match="limit=None must be given"):
        seawall.RateLimit("none")


def test_defaults():
    """As the page says."""
    settings = dict(seawall.RateLimit("sms", 0.5).settings)
    assert settings == {
        "limit": 0.5,
        "per": 1.0,
        "burst": 1.0,
        "cost": 1.0,
        "on_event": None,
        "key": None,
        "max_keys": None,
        "key_idle": None,
        "max_wait": 0.0,
    }
    keyed = seawall.RateLimit("keyed", 1, per=timedelta(minutes=1), key="user", cost=len).settings
    assert (keyed["per"], keyed["cost"], keyed["max_keys"]) == (60, len, 10_000)
    assert keyed["key_idle"] == 600


def test_a_change_in_place_keeps_what_was_taken(clock):
    """As so many calls, which come back at the new rate."""
    limit = seawall.RateLimit(limit=1, burst=10)
    send = limit(nothing)
    assert admitted(send, 20) == 10
    limit.reconfigure(limit=100)
    clock.advance(0.05)
    assert admitted(send, 20) == 5
    limit.reconfigure(limit=1, burst=4)
    clock.advance(1)
    assert admitted(send, 20) == 1
    assert limit.snapshot().counts["admitted"] == 16


def test_a_wrong_change_changes_nothing(clock):
    """Not even what was right of it."""
    limit = seawall.RateLimit("sms", 10)
    with pytest.raises(seawall.ConfigError, match="burst=0"):
        limit.reconfigure(limit=5, burst=0)
    assert limit.settings["limit"] == 10


def test_what_can_not_be_changed():
    """Where states lie, and who is asked what a call costs: calls under way know already."""
    limit = seawall.RateLimit("sms", 10, key="user", cost=2)
    with pytest.raises(seawall.ConfigError) as wrong:
        limit.reconfigure(key="host", cost=len)
    assert [problem.field for problem in wrong.value.problems] == ["key", "cost"]
    limit.reconfigure(cost=3, max_keys=5)
    assert (limit.settings["cost"], limit.settings["max_keys"]) == (3, 5)


def test_a_call_that_was_made_before_goes_by_what_is_in_force(clock):
    """A coroutine that waits to be awaited has not asked yet."""
    limit = seawall.RateLimit(limit=1)

    async def nop():
        pass

    early = [limit.call(nop) for _ in range(5)]
    limit.reconfigure(burst=4)
    ends = []
    for coroutine in early:
        try:
            coroutine.send(None)
        except (StopIteration, seawall.RateLimitedError) as end:
            ends.append(type(end))
    assert ends == [StopIteration] * 4 + [seawall.RateLimitedError]
