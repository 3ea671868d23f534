"""Randomness that repeats."""

import contextvars
import threading

import pytest
import seawall
from seawall import testing


def durations(count=4):
    """How long a circuit with jitter opens, time after time."""
    with testing.isolated(), testing.clock() as clock:
        breaker = seawall.CircuitBreaker(
            failure_threshold=1, open_duration=seawall.constant(100, jitter="full")
        )
        seen = []
        for _ in range(count):
            breaker.try_call(lambda: 1 / 0)
            seen.append(breaker.retry_after)
            clock.advance(100)
        return seen


def test_a_seed_repeats():
    """The same seed gives the same choices, another seed others."""
    with testing.seed(7):
        first = durations()
    with testing.seed(7):
        assert durations() == first
    with testing.seed(8):
        assert durations() != first


def test_a_seed_goes_on():
    """Within one block the sequence goes on, and a nested seed begins its own and gives it back."""
    with testing.seed(7):
        whole = durations(8)
    with testing.seed(7):
        first = durations(4)
        with testing.seed(9):
            durations(3)
        assert first + durations(4) == whole


def test_without_a_seed_it_differs():
    """Outside, randomness is random."""
    assert durations() != durations()


def test_other_threads_draw_on_their_own():
    """A thread that did not enter the seed takes nothing from its sequence."""
    with testing.seed(7):
        whole = durations(4)
    with testing.seed(7):
        first = durations(2)
        thread = threading.Thread(target=contextvars.Context().run, args=(durations,))
        thread.start()
        thread.join(30)
        assert first + durations(2) == whole


@pytest.mark.parametrize("number", [0, 1, 2**64 - 1])
def test_seeds_are_64_bits(number):
    """Every number of 64 bits is a seed."""
    with testing.seed(number):
        assert len(set(durations())) == 4


@pytest.mark.parametrize("number", [-1, 2**64, 1.5, "7", None])
def test_anything_else_is_no_seed(number):
    """What is no number of 64 bits is refused."""
    with pytest.raises((OverflowError, TypeError)):
        testing.seed(number)
