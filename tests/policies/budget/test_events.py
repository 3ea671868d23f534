"""What a budget tells: the two ends of being exhausted, not each refusal."""

import pickle
import sys
from itertools import pairwise

import pytest
import seawall


def test_exhausted_is_told_once(budget, told):
    """A thousand refusals are one event, with the state that led to it."""
    it = budget(name="payments", ratio=0.1, min_per_second=0)
    it.begin(10)
    assert it.permits(1001) == 1
    (event,) = told
    assert isinstance(event, seawall.BudgetExhausted)
    assert (event.kind, event.policy, event.name) == ("budget.exhausted", "budget", "payments")
    assert (event.mode, event.balance, event.refused) == ("ratio", 0.0, 1)
    assert (event.in_flight, event.retries_in_flight, event.seq) == (10, 1, 1)
    assert pickle.loads(pickle.dumps(event)) == event


def test_yes_and_no_in_turns_is_one_episode(budget, clock, told):
    """At the limit, where each call pays for a part of a retry, nothing is told over and over."""
    it = budget(ratio=0.5, min_per_second=0, ttl=10)
    answers = []
    for _ in range(1000):
        it.begin()
        answers.append(it.permits(1))
        clock.advance(0.1)
    assert answers.count(1) > 300
    assert answers.count(0) > 300
    assert told.kinds == ["budget.exhausted"]


@pytest.mark.parametrize(
    "settings",
    [
        {"min_per_second": 1, "ttl": 10},
        {"mode": "concurrency", "min_concurrent": 1},
        {"mode": "tokens", "max_tokens": 1},
    ],
)
def test_recovered_is_told_by_the_first_retry_after_a_while(budget, clock, told, settings):
    """After `ttl`, or ten seconds, without a refusal the next retry tells of the recovery."""
    it = budget(**settings)
    it.permits(10)
    it.fail()
    it.permits(20)
    assert told.kinds == ["budget.exhausted"]
    clock.advance(20)
    it.succeed(5)
    for _ in range(10):
        it.budget._attempt_over()
    it.permits(1)
    assert told.kinds == ["budget.exhausted", "budget.recovered"]
    assert isinstance(told[1], seawall.BudgetRecovered)
    it.fail()
    it.permits(20)
    assert told.kinds[2:] == ["budget.exhausted"]
    assert all(one.seq < other.seq and one.at <= other.at for one, other in pairwise(told))


def test_nobody_asked_meanwhile(budget, clock, told):
    """A refusal long after the last one is told again, though nobody saw the recovery."""
    it = budget(mode="concurrency", min_concurrent=0)
    it.permits(3)
    clock.advance(60)
    it.permits(3)
    assert told.kinds == ["budget.exhausted", "budget.exhausted"]


def test_own_listener_and_subscriptions(budget):
    """Its own listener hears first; subscriptions choose by policy, kind and name."""
    heard = []
    it = budget(
        name="payments",
        mode="concurrency",
        min_concurrent=0,
        on_event=lambda event: heard.append(("own", event.kind)),
    )
    with (
        seawall.subscribe(lambda event: heard.append(("all", event.kind)), kinds=["budget"]),
        seawall.subscribe(lambda event: heard.append(("no", "")), kinds=["budget.recovered"]),
        seawall.subscribe(lambda event: heard.append(("no", "")), kinds=["breaker"]),
        seawall.subscribe(lambda event: heard.append(("no", "")), names=["search"]),
    ):
        it.permits(2)
    assert heard == [("own", "budget.exhausted"), ("all", "budget.exhausted")]
    with pytest.raises(seawall.ConfigError, match=r"did you mean budget.exhausted\?"):
        seawall.subscribe(print, kinds=["budget.exausted"])


def test_a_listener_that_asks(budget):
    """A listener may use the budget it hears of: nothing is locked meanwhile."""
    heard = []

    def listener(event):
        it.budget.reconfigure(min_concurrent=5)
        heard.append((it.permits(9), it.budget.snapshot().balance))

    it = budget(mode="concurrency", min_concurrent=0, ratio=0, on_event=listener)
    assert it.permits(1) == 0
    assert heard == [(5, 0.0)]


def test_a_listener_that_fails(budget, caplog):
    """One that raises is logged, and the answer is what it was."""

    def listener(event):
        raise RuntimeError("listener")

    it = budget(mode="concurrency", min_concurrent=0, ratio=0, on_event=listener)
    assert it.permits(1) == 0
    assert "failed on budget.exhausted" in caplog.text


def test_nothing_is_built_when_nobody_listens(budget, monkeypatch):
    """Without a listener a refusal makes no event, and loads nothing that would."""
    monkeypatch.setitem(sys.modules, "seawall.policies.budget.events", None)
    it = budget(mode="concurrency", min_concurrent=0, ratio=0)
    assert it.permits(5) == 0


def test_the_error():
    """The error names the budget and says when to try again, as every refusal does."""
    error = seawall.RetryBudgetExhaustedError("payments", None)
    assert isinstance(error, seawall.Rejected)
    assert (error.policy, error.name, error.retry_after) == ("budget", "payments", None)
    assert str(error) == ("retry budget 'payments' is exhausted; it does not say when to try again")
    assert str(seawall.RetryBudgetExhaustedError("payments", 2.0)).endswith("try again in 2 s")
    assert pickle.loads(pickle.dumps(error)).args == error.args
