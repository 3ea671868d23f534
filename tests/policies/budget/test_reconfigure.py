"""Settings that change under a budget in use."""

import pytest
import seawall


def test_what_is_counted_is_kept(budget):
    """Other numbers judge what was counted before them."""
    it = budget(ratio=0.1, min_per_second=0)
    it.begin(100)
    assert it.permits(20) == 10
    it.budget.reconfigure(ratio=0.5)
    assert it.permits(100) == 40
    assert it.budget.settings["ratio"] == 0.5
    seen = it.budget.snapshot()
    assert (seen.deposited, seen.withdrawn, seen.counts["retries"]) == (100, 50, 50)


def test_another_ttl_keeps_the_balance(budget, clock):
    """Under another `ttl` what counted goes on counting, for as long as that says."""
    it = budget(ratio=0.5, min_per_second=0, ttl=60)
    it.begin(10)
    it.budget.reconfigure(ttl=1)
    assert it.budget.snapshot().balance == 5.0
    clock.advance(1)
    assert it.budget.snapshot().balance == 0.0


def test_another_mode(budget):
    """Calls in flight are known in a mode that was not in force when they began."""
    it = budget()
    it.begin(50)
    it.budget.reconfigure(mode="concurrency", ratio=0.1)
    assert it.permits(10) == 5
    it.budget.reconfigure(mode="tokens", ratio=0.5, max_tokens=10)
    it.fail(4)
    it.budget.reconfigure(max_tokens=100)
    assert it.budget.snapshot().balance == 60.0


def test_wrong_changes_change_nothing(budget):
    """Settings that the new mode has no use for must be taken back, and are named until then."""
    it = budget(ttl=5)
    before = it.budget.settings
    with pytest.raises(seawall.ConfigError, match=r"ttl=5 is for mode='ratio'"):
        it.budget.reconfigure(mode="tokens")
    assert it.budget.settings == before
    it.budget.reconfigure(mode="tokens", ttl=None)
    assert it.budget.settings["mode"] == "tokens"


def test_the_name_stands_for_what_was_declared():
    """Code that declares it again, as before, gets it with the changes."""
    first = seawall.RetryBudget("payments", ratio=0.1)
    first.reconfigure(ratio=0.4)
    again = seawall.RetryBudget("payments", ratio=0.1)
    assert again is first
    assert again.settings["ratio"] == 0.4


def test_another_listener(budget):
    """A new listener hears from now on, the old one no longer."""
    old, new = [], []
    it = budget(ratio=0, min_per_second=0, on_event=old.append)
    it.budget.reconfigure(on_event=new.append)
    it.permits(1)
    assert (len(old), len(new)) == (0, 1)
