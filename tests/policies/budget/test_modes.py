"""The three modes, as Python sees them; the arithmetic itself is tested in the core."""

import pytest
import seawall


@pytest.mark.parametrize(
    ("ratio", "permitted"), [(0, 0), (0.1, 100), (0.3, 300), (0.6, 600), (0.7, 700), (1, 1000)]
)
def test_a_share_of_the_calls(budget, ratio, permitted):
    """Without a reserve, exactly the share of the calls is permitted, whatever it is."""
    it = budget(ratio=ratio, min_per_second=0)
    it.begin(1000)
    assert it.permits(1500) == permitted


def test_the_reserve_is_there_once_in_a_ttl(budget, clock):
    """Without calls, `min_per_second` · `ttl` retries are permitted, and then again when old."""
    it = budget(ratio=0.2, min_per_second=3, ttl=5)
    assert it.permits(100) == 15
    clock.advance(5)
    assert it.permits(100) == 0
    clock.advance(1.25)
    assert it.permits(100) == 15


def test_calls_count_no_longer_than_ttl(budget, clock):
    """A call that is older than `ttl` permits nothing."""
    it = budget(ratio=1, min_per_second=0, ttl=10)
    it.begin(10)
    clock.advance(7)
    assert it.permits(4) == 4
    clock.advance(3)
    assert it.permits(4) == 0


def test_a_storm_on_a_dead_service(budget):
    """A thousand callers who try ten times send 1.1 × the calls and a reserve: no more."""
    it = budget(ratio=0.1, min_per_second=10, ttl=10)
    sent = 0
    for _ in range(1000):
        it.begin()
        sent += 1
    for _ in range(9):
        sent += it.permits(1000)
    assert sent == 1000 + 100 + 100
    assert it.budget.snapshot().counts["refused"] == 9000 - 200


def test_in_flight(budget):
    """In `concurrency`, a share of the calls in flight may be retries, or the minimum."""
    it = budget(mode="concurrency", ratio=0.2)
    assert it.permits(10) == 3
    it.begin(30)
    assert it.permits(10) == 3
    it.budget._attempt_over()
    assert it.permits(10) == 1
    for _ in range(30):
        it.budget._finish()
    assert it.permits(10) == 0
    seen = it.budget.snapshot()
    assert (seen.in_flight, seen.retries_in_flight, seen.balance) == (0, 6, 0.0)


def test_above_half_of_the_tokens(budget):
    """In `tokens`, retries end at half; successes bring them back, failures pay for them all."""
    it = budget(mode="tokens", ratio=0.1, max_tokens=10)
    it.fail(4)
    assert it.permits(5) == 5
    it.fail()
    assert it.permits(5) == 0
    it.succeed()
    assert it.budget.snapshot().balance == 5.1
    assert it.permits(5) == 5


def test_one_budget_for_all_that_share_it(clock):
    """Whoever names it counts with the others: calls of one pay for retries of another."""
    one = seawall.RetryBudget("shared", ratio=0.5, min_per_second=0)
    other = seawall.RetryBudget("shared", ratio=0.5, min_per_second=0)
    for _ in range(4):
        one._begin()
    assert other._permit()
    assert one._permit()
    assert not other._permit()
    assert one.snapshot() == other.snapshot()


def test_a_clock_of_a_test_that_is_left(clock):
    """What was counted under a test's clock, far ahead, keeps no later retry from being made."""
    shared = seawall.RetryBudget("shared", min_per_second=1, ttl=1)
    with seawall.testing.clock() as later:
        later.advance(100_000)
        assert shared._permit()
        assert not shared._permit()
    clock.advance(5)
    assert shared._permit()
