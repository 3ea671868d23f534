"""Events: who hears what, and in which order."""

import contextvars
import pickle
import threading

import pytest
import seawall

from tests.events.given import fail


def test_a_listener_hears_until_it_is_cancelled(breaker):
    """From subscribing to cancelling, and cancelling twice does nothing."""
    heard = []
    subscription = seawall.subscribe(heard.append)
    breaker.force_open()
    subscription.cancel()
    subscription.cancel()
    breaker.reset()
    assert [event.kind for event in heard] == ["breaker.forced_open"]


def test_a_subscription_is_a_block(breaker):
    """As a context manager it cancels at the end."""
    heard = []
    with seawall.subscribe(heard.append):
        breaker.force_open()
    breaker.reset()
    assert len(heard) == 1


def test_order_and_numbers(breaker):
    """Events come in the order of transitions; numbers only grow, and skip what nobody heard."""
    with seawall.testing.clock() as clock, seawall.testing.record() as told:
        fail(breaker, 2)
        clock.advance(30)
        for _ in range(3):
            breaker.call(int)
        breaker.force_open()
    breaker.reset()
    with seawall.testing.record() as later:
        breaker.disable()
    assert told.kinds == [
        "breaker.opened",
        "breaker.half_opened",
        "breaker.closed",
        "breaker.forced_open",
    ]
    assert [event.seq for event in (*told, *later)] == [2, 3, 4, 5, 7]


def test_fields_are_typed(breaker):
    """An opening tells rule, rates, volume, states, how long, and both clocks."""
    with seawall.testing.clock() as clock, seawall.testing.record() as told:
        clock.advance(5)
        fail(breaker, 2)
    [opened] = told
    assert isinstance(opened, seawall.BreakerOpened)
    assert isinstance(opened, seawall.BreakerEvent)
    assert isinstance(opened, seawall.Event)
    assert (opened.policy, opened.name, opened.key) == ("breaker", "shop", None)
    assert (opened.before, opened.after) == ("closed", "open")
    assert (opened.cause, opened.calls) == ("consecutive_failures", 2)
    assert (opened.failure_rate, opened.slow_call_rate) == (None, None)
    assert opened.open_duration == 30.0
    assert isinstance(opened.at, float)
    assert isinstance(opened.wall, float)


def test_both_clocks_are_the_tests(breaker):
    """Between two events a test's clock moves both times by what it was moved."""
    with seawall.testing.clock() as clock, seawall.testing.record() as told:
        breaker.force_open()
        clock.advance(100)
        breaker.reset()
    first, second = told
    assert second.at - first.at == pytest.approx(100, abs=1e-6)
    assert second.wall - first.wall == pytest.approx(100, abs=1e-3)


def test_events_are_values(breaker):
    """They are frozen, equal by what they say, and can be pickled."""
    with seawall.testing.record() as told:
        breaker.force_open()
        fail_open = seawall.CircuitBreaker("other", failure_threshold=1)
        fail(fail_open)
    for event in told:
        with pytest.raises(AttributeError):
            event.name = "x"
        assert pickle.loads(pickle.dumps(event)) == event


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ({"kinds": ["breaker.reset"]}, ["breaker.reset"]),
        ({"kinds": {"breaker"}}, ["breaker.forced_open", "breaker.reset", "breaker.disabled"]),
        ({"kinds": []}, []),
        ({"names": ["other"]}, ["breaker.disabled"]),
        ({"names": ["shop"], "kinds": ["breaker.disabled"]}, []),
    ],
)
def test_filters(breaker, asked, kinds):
    """By kind, by a whole policy's kinds, by name, and by both."""
    heard = []
    with seawall.subscribe(heard.append, **asked):
        breaker.force_open()
        breaker.reset()
        seawall.CircuitBreaker("other").disable()
    assert [event.kind for event in heard] == kinds


@pytest.mark.parametrize("asked", [{"kinds": "breaker"}, {"names": "shop"}])
def test_a_string_is_no_filter(asked):
    """A string where names are wanted would be taken letter by letter: it is refused."""
    with pytest.raises(TypeError, match="must be a collection of strings"):
        seawall.subscribe(print, **asked)


@pytest.mark.parametrize(
    ("kind", "nearest"),
    [
        ("breaker.opend", "breaker.opened"),
        ("braker", "breaker"),
        ("opened", "breaker.opened"),
        ("cache", None),
        (5, None),
    ],
)
def test_an_unknown_kind_is_refused(kind, nearest):
    """A kind that no policy tells would be waited for in vain: the nearest known one is named."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.subscribe(print, kinds=["breaker.reset", kind])
    assert caught.value.problems == (("kinds", repr(kind), "is not a kind of event", nearest),)


def test_every_kind_is_known(breaker):
    """What a breaker tells in all of its transitions are the kinds that may be subscribed to."""
    from seawall.policies.breaker.events import KINDS

    with (
        seawall.testing.clock() as clock,
        seawall.testing.record() as told,
        seawall.subscribe(print, kinds=KINDS),
    ):
        fail(breaker, 2)
        clock.advance(30)
        for _ in range(3):
            breaker.call(int)
        breaker.metrics_only()
        fail(breaker, 2)
        breaker.force_open()
        breaker.disable()
        breaker.reset()
    assert set(told.kinds) == set(KINDS)


def test_own_listener_hears_first():
    """A policy's `on_event` comes before everybody else, and hears only its own."""
    heard = []
    mine = seawall.CircuitBreaker("mine", on_event=lambda event: heard.append("own"))
    other = seawall.CircuitBreaker("other")
    with seawall.subscribe(lambda event: heard.append(event.name)):
        mine.force_open()
        other.force_open()
    mine.reset()
    assert heard == ["own", "mine", "other", "own"]


def test_nothing_is_built_when_nobody_listens(breaker, monkeypatch):
    """Without a listener no event object is made."""
    monkeypatch.setattr("seawall.policies.breaker.events.tell", lambda *_: pytest.fail("built"))
    breaker.force_open()
    with seawall.subscribe(print):
        pass
    with seawall.testing.record():
        pass
    breaker.reset()


def test_recordings_are_of_their_context(breaker):
    """A recording hears its own context; a subscription hears everybody."""
    heard = []
    with seawall.subscribe(heard.append), seawall.testing.record() as told:
        thread = threading.Thread(target=breaker.force_open)
        thread.start()
        thread.join()
        assert told == []
        copied = threading.Thread(target=contextvars.copy_context().run, args=(breaker.reset,))
        copied.start()
        copied.join()
    assert told.kinds == ["breaker.reset"]
    assert len(heard) == 2
