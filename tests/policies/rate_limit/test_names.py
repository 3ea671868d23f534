"""A rate limit and its name; what it tells; what it shows."""

import copy
import pickle

import pytest
import seawall

from tests.policies.rate_limit.calls import admitted, nothing


def test_the_same_name_is_the_same_limit():
    """With the same settings, wherever it is declared."""
    one = seawall.RateLimit("sms", 100, per=60)
    assert seawall.rate_limit("sms", 100, per=60) is one
    assert seawall.RateLimit(name="sms", limit=100, per=60) is one
    assert seawall.registry.find("rate_limit", "sms") is one
    with pytest.raises(seawall.ConfigError, match="sms"):
        seawall.RateLimit("sms", 5)
    assert seawall.RateLimit("sms", 5, replace=True).settings["limit"] == 5


def test_it_is_named_after_its_first_function():
    """Until somebody gives it a name."""

    def charge():
        """Nothing."""

    limit = seawall.RateLimit(limit=5)
    limit(charge)
    assert "charge" in limit.name


@pytest.mark.parametrize("name", ["", 5, nothing])
def test_a_name_is_a_text(name):
    """A function is none: there is no limit that suits everybody."""
    with pytest.raises(seawall.ConfigError, match="name="):
        seawall.rate_limit(name)


def test_copies_are_itself():
    """Its state is one; another process finds its own of that name."""
    limit = seawall.RateLimit("sms", 5)
    assert copy.copy(limit) is limit
    assert copy.deepcopy(limit) is limit
    assert pickle.loads(pickle.dumps(limit)) is limit


def test_its_error_travels(clock):
    """With what it knows."""
    limit = seawall.RateLimit("sms", 1, key=lambda user: user)
    limit.call(nothing, "ann")
    with pytest.raises(seawall.RateLimitedError) as refused:
        limit.call(nothing, "ann")
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.name, again.retry_after, again.cost, again.key) == ("sms", 1, 1, "ann")
    assert str(again) == "rate limit 'sms' of key 'ann' is reached; try again in 1 s"


def test_refusals_are_told(clock, told):
    """Each, to its own listener and to everybody; numbers only grow."""
    heard = []
    limit = seawall.RateLimit("sms", 2, cost=2, on_event=heard.append)
    admitted(limit(nothing), 3)
    assert told == heard
    assert [(event.kind, event.seq) for event in told] == [
        ("rate_limit.rejected", 1),
        ("rate_limit.rejected", 2),
    ]
    event = told[0]
    assert isinstance(event, seawall.RateLimitRejected)
    assert (event.policy, event.name, event.key) == ("rate_limit", "sms", None)
    assert (event.cost, event.retry_after) == (2, 1)


def test_a_listener_may_ask_the_limit(clock):
    """No lock is held meanwhile; and what it raises reaches nobody."""

    def listen(event):
        limit.try_call(nothing)
        seen.append(limit.snapshot().counts["rejected"])
        raise ValueError(event)

    seen = []
    limit = seawall.RateLimit("sms", 1)
    limit.call(nothing)
    limit.reconfigure(
        on_event=lambda event: seen.append(event) or (len(seen) < 3 and listen(event))
    )
    with pytest.raises(seawall.RateLimitedError):
        limit.call(nothing)
    assert seen[-1] == 3


def test_snapshot(clock):
    """Frozen, with the head that all have."""
    limit = seawall.RateLimit("sms", 10, burst=4)
    admitted(limit(nothing), 6)
    seen = limit.snapshot()
    assert (seen.name, seen.kind, seen.key, seen.in_flight) == ("sms", "rate_limit", None, 0)
    assert (seen.counts["admitted"], seen.counts["rejected"]) == (4, 2)
    assert (seen.available, seen.retry_after) == (0, 0.1)
    assert limit.retry_after == 0.1
    clock.advance(0.25)
    assert (limit.snapshot().available, limit.snapshot().retry_after) == (2.5, 0)
    with pytest.raises(AttributeError):
        seen.name = "other"
    assert repr(limit) == "<RateLimit 'sms' 10 per 1 s>"
