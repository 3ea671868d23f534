"""Limits for each window of the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
import seawall

from tests.policies.rate_limit.calls import admitted, nothing


def today(clock):
    """The date by the test's clock."""
    return datetime.fromtimestamp(seawall._core.wall(), UTC)


def next_window(now, unit):
    """When the next one begins, by the standard library."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "second":
            return now.replace(microsecond=0) + timedelta(seconds=1)
        case "minute":
            return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        case "hour":
            return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        case "day":
            return midnight + timedelta(days=1)
        case "week":
            return midnight + timedelta(days=7 - now.weekday())
        case _:
            return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


@pytest.mark.parametrize("unit", ["second", "minute", "hour", "day", "week", "month"])
def test_a_window_has_its_limit_once(clock, unit):
    """It begins with the calendar's, in UTC, however late in it the calls come."""
    send = seawall.RateLimit(limit=3, per=unit)(nothing)
    for _ in range(14):
        now = today(clock)
        assert admitted(send, 10) == 3
        with pytest.raises(seawall.RateLimitedError) as refused:
            send()
        left = (next_window(now, unit) - now).total_seconds()
        assert refused.value.retry_after == pytest.approx(left, abs=1e-5)
        clock.advance(refused.value.retry_after / 2)
        assert admitted(send, 10) == 0
        clock.advance(refused.value.retry_after / 2 + 1e-5)


def test_settings_say_the_unit():
    """As it was written."""
    limit = seawall.RateLimit("quota", 1000, per="month")
    assert (limit.settings["per"], limit.settings["burst"]) == ("month", 1000)
    assert repr(limit) == "<RateLimit 'quota' 1000 per month>"


def test_costs_count(clock):
    """As with a rate."""
    send = seawall.RateLimit(limit=10, per="day", cost=lambda n: n)(nothing)
    assert admitted(send, 1, 8) == 1
    assert admitted(send, 1, 3) == 0
    assert admitted(send, 1, 2) == 1
    with pytest.raises(seawall.RateLimitedError) as refused:
        send(11)
    assert refused.value.retry_after is None


def test_a_rate_becomes_a_window_and_back(clock):
    """What was taken stays taken."""
    limit = seawall.RateLimit(limit=10, per=1e6)
    assert admitted(limit(nothing), 4) == 4
    limit.reconfigure(per="month")
    assert limit.snapshot().available == 6
    limit.reconfigure(per=1e6, limit=20)
    assert limit.snapshot().available == 16
