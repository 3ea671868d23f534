"""Backoffs as values. Their delays are proved beside the core, which computes them."""

from datetime import timedelta

import pytest
from seawall.policies.backoff import Backoff, constant, custom, exponential, fibonacci, linear


@pytest.mark.parametrize("make", [constant, linear, exponential, fibonacci])
def test_a_timedelta_is_its_seconds(make):
    """A time says the same as seconds and as a timedelta, to the microsecond."""
    assert make(timedelta(seconds=1, microseconds=1)) == make(1.000001)


def test_caps_are_times_too():
    """A cap may be a timedelta wherever there is one."""
    minute = timedelta(minutes=1)
    for made in (
        linear(1, cap=minute),
        exponential(1, cap=minute),
        fibonacci(1, cap=minute),
        custom(float, cap=minute),
    ):
        assert made.cap == 60.0


def test_defaults():
    """Only exponential growth jitters by itself; nothing has a cap of its own."""
    assert exponential(1) == Backoff("exponential", 1, 2.0, None, "full")
    assert {make(1).jitter for make in (constant, linear, fibonacci)} == {"none"}
    assert {make(1).cap for make in (constant, linear, fibonacci)} == {None}


def test_equal_if_they_say_the_same():
    """Settings declared twice are recognised: callables by identity, the rest by value."""
    assert exponential(1, cap=9) == exponential(1.0, cap=9.0)
    assert exponential(1) != exponential(1, jitter="equal")
    assert custom(float) == custom(float)
    assert custom(float) != custom(int)
    assert len({linear(1), linear(1.0), linear(2)}) == 2


def test_nothing_is_checked_here():
    """What is wrong passes through, for the policy to report together with the rest."""
    wrong = linear("soon", cap=-1, jitter="smoth")
    assert wrong == Backoff("linear", "soon", 2.0, -1, "smoth")


def test_immutable():
    """A backoff that two policies share can't be changed by one."""
    with pytest.raises(AttributeError):
        constant(1).base = 2
