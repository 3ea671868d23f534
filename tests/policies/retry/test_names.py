"""A retry and its name."""

import copy
import pickle

import pytest
import seawall


def test_the_same_name_is_the_same_retry():
    """With the same settings, wherever it is declared."""
    one = seawall.Retry("payments", attempts=4)
    assert seawall.Retry("payments", attempts=4) is one
    assert seawall.retry("payments", attempts=4) is one
    assert seawall.registry.find("retry", "payments") is one


def test_other_settings_are_refused():
    """Two parts of a program would each believe in their own."""
    seawall.Retry("payments", attempts=4)
    with pytest.raises(seawall.ConfigError, match="payments"):
        seawall.Retry("payments", attempts=5)
    assert seawall.Retry("payments", attempts=5, replace=True).settings["attempts"] == 5


def test_a_breaker_may_have_the_name_too():
    """Names are of a kind of policy."""
    seawall.CircuitBreaker("payments")
    assert seawall.Retry("payments").name == "payments"


def test_it_is_named_after_its_first_function():
    """Until somebody gives it a name."""

    def charge():
        """Nothing."""

    retry = seawall.Retry()
    assert retry.name.startswith("retry-")
    retry(charge)
    assert retry.name == f"{__name__}.{charge.__qualname__}"
    named = seawall.Retry("payments")
    named(charge)
    assert named.name == "payments"


def test_copies_and_pickles_are_itself():
    """It has counters, which are one."""
    retry = seawall.Retry("payments", attempts=4)
    assert copy.copy(retry) is copy.deepcopy(retry) is retry
    assert pickle.loads(pickle.dumps(retry)) is retry


def test_its_looks():
    """Name and attempts, also after a change."""
    retry = seawall.Retry("payments", attempts=4)
    assert repr(retry) == "<Retry 'payments' 4 attempts>"
    retry.reconfigure(attempts=2)
    assert repr(retry) == "<Retry 'payments' 2 attempts>"


def test_twice_on_one_function_is_refused():
    """The same retry, stacked."""
    retry = seawall.Retry("payments")
    with pytest.raises(seawall.ConfigError, match="twice"):
        retry(retry(lambda: 1))


def test_compositions_that_are_seldom_meant_are_warned_of():
    """A retry inside of a breaker, and a retry inside of a retry."""
    for outer in (seawall.CircuitBreaker(), seawall.Retry()):
        with pytest.warns(seawall.CompositionWarning):
            outer(seawall.Retry()(lambda: 1))
