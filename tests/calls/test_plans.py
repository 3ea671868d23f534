"""Plans live as long as somebody can call through them."""

import gc

import seawall


def plans() -> int:
    """How many plans the collector knows."""
    gc.collect()
    return sum(type(thing).__name__ == "Plan" for thing in gc.get_objects())


def test_a_policy_takes_its_own_plan_along() -> None:
    """The plan behind `call` goes with its policy; a pipeline's goes with the pipeline."""
    before = plans()
    for _ in range(10):
        breaker = seawall.CircuitBreaker()
        assert breaker.call(int) == 0
        assert seawall.Pipeline("short-lived", breaker).call(int) == 0
    del breaker
    assert plans() == before


def test_a_reconfigured_plan_goes() -> None:
    """A plan that a reconfiguration has replaced is freed once no call is under way in it."""
    breaker = seawall.CircuitBreaker()
    function = breaker(int.__add__)
    function(1, 1)
    before = plans()
    for number in range(1, 11):
        breaker.reconfigure(failure_threshold=number)
        assert function(1, 1) == 2
    assert plans() == before
