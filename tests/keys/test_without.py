"""Calls without a key, and the keys that share: two circuits that are nobody else's."""

import copy
import pickle
from itertools import permutations

import pytest
import seawall

from tests.keys.hosts import down, fails, keyed


def test_calls_without_a_key_have_a_circuit_of_their_own():
    """Failures of calls whose key is None reject such calls, and never those that found no room."""
    breaker = keyed(max_keys=1)
    touch = breaker(lambda host, sick=False: down(host) if sick else host)
    fails(touch, "a", True)
    fails(touch, None, True)
    assert touch("stranger") == "stranger"
    with pytest.raises(seawall.CircuitOpenError, match="calls without a key") as refusal:
        touch(None)
    assert refusal.value.key is None
    assert breaker.snapshot(key=None).state == "open"
    assert breaker.snapshot(key=seawall.OTHER_KEYS).counts["success"] == 1
    assert set(breaker.keys) == {"a", None, seawall.OTHER_KEYS}


def test_none_is_not_every_key():
    """A key that happens to be None means calls without one; only leaving it out means all."""
    breaker = keyed()
    touch = breaker(lambda host: host)
    for host in ("a", None):
        touch(host)
    breaker.force_open(key=None)
    assert touch("a") == "a"
    with pytest.raises(seawall.CircuitOpenError):
        touch(None)
    assert breaker.snapshot(key=None).state == "forced_open"
    assert breaker.snapshot(key="a").state == "closed"
    breaker.force_open()
    breaker.reset(key=None)
    assert touch(None) is None
    with pytest.raises(seawall.CircuitOpenError):
        touch("a")


def test_none_of_a_breaker_with_one_circuit():
    """Where there is one circuit for all calls, None is a key like any other: not for it."""
    breaker = seawall.CircuitBreaker("one")
    for ask in (breaker.snapshot, breaker.reset, breaker.force_open, breaker.disable):
        with pytest.raises(TypeError, match="'one' has one circuit for all calls"):
            ask(key=None)
    assert breaker.snapshot().state == breaker.state == "closed"


def test_a_circuit_that_nobody_has_used():
    """Neither the calls without a key nor the shared ones have a circuit before there are any."""
    breaker = keyed()
    assert breaker.keys == []
    for key in (None, seawall.OTHER_KEYS, "a"):
        with pytest.raises(KeyError, match="has no circuit for"):
            breaker.snapshot(key=key)


def test_a_users_own_key_that_looks_the_same():
    """A key equal to the text is a key; the shared circuit goes by one object, by identity."""
    text = str(seawall.OTHER_KEYS)
    assert text == "<other keys>"
    assert all(one != other for one, other in permutations((text, seawall.OTHER_KEYS)))
    assert len({text, seawall.OTHER_KEYS}) == 2
    breaker = keyed(max_keys=1)
    touch = breaker(lambda host, sick=False: down(host) if sick else host)
    fails(touch, text, True)
    touch("shares")
    assert breaker.snapshot(key=text).state == "open"
    assert breaker.snapshot(key=seawall.OTHER_KEYS).state == "closed"
    assert [key is seawall.OTHER_KEYS for key in breaker.keys] == [False, True]
    breaker.force_open(key=seawall.OTHER_KEYS)
    with pytest.raises(seawall.CircuitOpenError) as refusal:
        touch("shares")
    assert refusal.value.key is seawall.OTHER_KEYS
    assert repr(seawall.OTHER_KEYS) == "<other keys>"


def test_the_shared_one_stays_itself():
    """Copied and pickled, what names the shared circuit is that object."""
    for same in (
        copy.copy(seawall.OTHER_KEYS),
        copy.deepcopy(seawall.OTHER_KEYS),
        pickle.loads(pickle.dumps(seawall.OTHER_KEYS)),
    ):
        assert same is seawall.OTHER_KEYS


def test_set_for_all_means_those_two_as_well():
    """What is set for all holds for calls without a key and those that share, then and later."""
    breaker = keyed(max_keys=1)
    touch = breaker(lambda host, sick=False: down(host) if sick else host)
    touch(None)
    breaker.force_open()
    breaker.disable(key="a")
    for host in (None, "shares"):
        with pytest.raises(seawall.CircuitOpenError, match="forced open"):
            touch(host)
    breaker.reset()
    assert [touch(host) for host in (None, "shares")] == [None, "shares"]
