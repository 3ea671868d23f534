"""A budget is found by its name, and is the same one wherever it is found."""

import copy
import gc
import pickle
import weakref

import pytest
import seawall


def test_the_same_name_is_the_same_budget():
    """Declared again alike it is the same object; otherwise every difference is named."""
    first = seawall.RetryBudget("payments", ratio=0.2, min_per_second=10, ttl=10)
    assert seawall.RetryBudget("payments", ratio=0.2, min_per_second=10, ttl=10) is first
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.RetryBudget("payments", ratio=0.3, ttl=10)
    assert [problem.field for problem in caught.value.problems] == ["min_per_second", "ratio"]
    assert seawall.registry.find("budget", "payments") is first
    assert first in seawall.registry.policies()


def test_replaced():
    """`replace=True` takes the name over with a new budget; the old one goes on for its holders."""
    old = seawall.RetryBudget("payments")
    old._begin()
    new = seawall.RetryBudget("payments", ratio=0.5, replace=True)
    assert new is not old
    assert seawall.registry.get("budget", "payments") is new
    assert (old.snapshot().in_flight, new.snapshot().in_flight) == (1, 0)


def test_a_budget_and_a_breaker_of_one_name():
    """Names are of a kind: a breaker's takes none from a budget."""
    budget = seawall.RetryBudget("payments")
    breaker = seawall.CircuitBreaker("payments")
    assert seawall.registry.policies() == [breaker, budget]


def test_copied_and_pickled():
    """A copy is the budget itself; pickled, it is found by its name, or a KeyError says so."""
    budget = seawall.RetryBudget("payments")
    assert copy.copy(budget) is copy.deepcopy(budget) is budget
    pickled = pickle.dumps(budget)
    assert pickle.loads(pickled) is budget
    with seawall.testing.isolated(), pytest.raises(KeyError, match="no budget named 'payments'"):
        pickle.loads(pickled)


def test_its_looks():
    """Its `repr` says its name and whether it refuses; it is no decorator, and no block."""
    budget = seawall.RetryBudget("payments", ratio=0, min_per_second=0.1, ttl=10)
    assert repr(budget) == "<RetryBudget 'payments' available>"
    assert budget._permit()
    assert repr(budget) == "<RetryBudget 'payments' exhausted>"
    assert not callable(budget)
    assert not hasattr(budget, "__enter__")


def test_without_a_name():
    """A nameless budget is one of its own, with a number for a name, and goes with its holder."""
    one, other = seawall.RetryBudget(), seawall.RetryBudget()
    assert one.name != other.name
    assert one.name.startswith("budget-")
    gone, name = weakref.ref(one), one.name
    del one
    gc.collect()
    assert gone() is None
    assert seawall.registry.get("budget", name) is None


@pytest.mark.parametrize("later", [False, True])
def test_a_listener_that_holds_its_budget_is_collected(later):
    """A budget in its own listener is a circle that the collector finds, also one set later."""

    def circle():
        held = []
        budget = seawall.RetryBudget(on_event=None if later else lambda event: held)
        if later:
            budget.reconfigure(on_event=lambda event: held)
        held.append(budget)
        return weakref.ref(budget)

    gone = circle()
    gc.collect()
    assert gone() is None
