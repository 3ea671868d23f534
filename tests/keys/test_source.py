"""Which argument a name means, and what is said where there is none to mean."""

import functools
import inspect

import pytest
import seawall

from tests.keys.hosts import keyed


def passing_session(function):
    """A decorator as they are written: it claims to be what it wraps, and passes one more."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function("session", *args, **kwargs)

    return wrapper


def test_a_wrapper_that_passes_more_is_refused():
    """A name is looked for in what is called; what that wraps may be given other arguments."""

    @passing_session
    def fetch(session, host):
        return host

    with pytest.raises(seawall.ConfigError, match=r"key='host' must be one of .*names none.*wraps"):
        keyed()(fetch)
    with pytest.raises(TypeError, match="must be one of"):
        keyed().call(fetch, "a")


def test_a_wrapper_that_claims_a_signature():
    """Nor is a signature believed that a function does not have."""

    def fetch(host, session=None):
        return host

    @functools.wraps(fetch)
    def wrapper(session, host):
        return fetch(host, session)

    wrapper.__signature__ = inspect.signature(fetch)
    breaker = keyed()
    breaker(wrapper)("session", "a")
    assert breaker.keys == ["a"]


def test_a_wrapper_that_names_it():
    """A wrapper with the parameter of its own is taken at its own word, and so is one in layers."""

    def fetch(session, host):
        return host

    @functools.wraps(fetch)
    def wrapper(host, *, more=None):
        return fetch("session", host)

    breaker = keyed()
    assert breaker(wrapper)("a") == "a"
    assert seawall.CircuitBreaker()(breaker(wrapper))("b") == "b"
    assert breaker.call(seawall.CircuitBreaker()(wrapper), "c") == "c"
    assert sorted(breaker.keys) == ["a", "b", "c"]


class Bound:
    """Methods whose own code is what is called."""

    def of_self(self, first, /, host="home", *, more=0):
        """Has a default."""
        return host

    @classmethod
    def of_class(cls, *, host="away"):
        """By name only."""
        return host


def test_bound_methods_and_defaults():
    """What a method is bound to is no argument; defaults belong to the right ones."""
    breaker = keyed()
    bound = Bound()
    calls = [
        breaker(bound.of_self)(1),
        breaker(bound.of_self)(1, "a"),
        breaker(bound.of_self)(1, more=2, host="b"),
        breaker(Bound.of_class)(),
        breaker(Bound.of_class)(host="c"),
        breaker.call(bound.of_self, 1, "d"),
    ]
    assert sorted(breaker.keys) == sorted(calls)


def test_a_block_needs_a_breaker_with_keys():
    """A key given to what has none is refused, not dropped; one breaker with keys is enough."""
    plain, hosts = seawall.CircuitBreaker("plain"), keyed()
    with pytest.raises(TypeError, match="'plain' has one circuit for all calls"):
        plain.block(key="a")
    with pytest.raises(TypeError, match="has a state for each key"):
        seawall.Pipeline("two", plain, seawall.CircuitBreaker()).block(key="a")
    with seawall.Pipeline("both", plain, hosts).block(key="a"):
        pass
    assert hosts.keys == ["a"]
    assert hosts.block(key="a").block(key="b").call(int) == 0
    assert set(hosts.keys) == {"a", "b"}


@pytest.mark.parametrize("key", ["host", lambda host: host, lambda *args: args])
def test_a_block_that_names_no_key(key):
    """A plain block of a keyed breaker says what to write, whatever the key is made of."""
    breaker = keyed(key=key)
    with pytest.raises(TypeError, match=r"this block names none: use block\(key=…\)"), breaker:
        raise AssertionError
    assert breaker.keys == []
