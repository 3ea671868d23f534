"""Compositions: what is odd about them, what is refused, how they are changed."""

import linecache
import warnings
from pathlib import Path

import pytest
import seawall
from seawall import (
    Bulkhead,
    CircuitBreaker,
    CompositionWarning,
    Fallback,
    Hedge,
    Pipeline,
    RateLimit,
    Retry,
    Timeout,
)


@pytest.fixture(autouse=True)
def registry():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


def warned(make):
    """The warnings of what is made."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        make()
    assert {warning.category for warning in seen} <= {CompositionWarning}
    return seen


def texts(make):
    """What they say."""
    return [str(warning.message) for warning in warned(make)]


def attempt(seconds):
    """A timeout for an attempt."""
    return Timeout(seconds, name="attempt")


ODD = {
    "retry in a breaker": (
        lambda: (CircuitBreaker("b"), Retry("r")),
        "opens late: put the breaker inside of the retry",
    ),
    "retry in a retry": (
        lambda: (Retry("outer"), Retry("r")),
        "while that has attempts left, this one makes one attempt",
    ),
    "attempt as long as all": (
        lambda: (Timeout(2, name="all"), Retry("r"), attempt(2)),
        "is an attempt's limit of 2 s inside of <Timeout 'all' 2 s>'s 2 s, and is never reached",
    ),
    "two limits": (
        lambda: (Timeout(2, name="all"), attempt(3)),
        "is the inner limit of 3 s inside of <Timeout 'all' 2 s>'s 2 s, and is never reached",
    ),
    "attempt as long as the retry": (
        lambda: (Retry("r", max_duration=3), attempt(3)),
        "lets one attempt take 3 s, as long as all of <Retry 'r' 3 attempts>'s may take together",
    ),
    "window too short": (
        lambda: (CircuitBreaker("b", window=seawall.seconds(3)), attempt(2)),
        "make the window at least twice as long",
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_each_odd_pair_is_told_with_its_reason(case):
    """One warning a pair: the pipeline's name, both policies, and what to do about it."""
    make, reason = ODD[case]
    [text] = texts(lambda: Pipeline("shop", *make()))
    assert text.startswith("pipeline 'shop': <")
    assert reason in text
    assert all(repr(policy) in text for policy in (make()[0], make()[-1]))


def test_the_page_lists_each_odd_pair():
    """Whatever two policies are warned of in some order, the table of docs/pipelines.md has it."""
    page = (Path(__file__).parents[1] / "docs/pipelines.md").read_text()
    rows = page.split("| from the outside in |")[1].split("```")[0].splitlines()
    listed = [row.split("|")[1].strip().split(", ") for row in rows if row.count("|") == 4]
    kinds = {
        "breaker": CircuitBreaker("b", window=seawall.seconds(3)),
        "retry": Retry("r", max_duration=3),
        "timeout": Timeout(5, name="t"),
        "bulkhead": Bulkhead("k", max_concurrent=1),
        "rate limit": RateLimit("l", 1, max_wait=9),
        "hedge": Hedge("h", delay=1),
        "fallback": Fallback(None, name="f"),
    }
    again = {kind: policy for kind, policy in kinds.items() if kind not in {"breaker", "bulkhead"}}
    again["retry"], again["timeout"] = Retry("r2"), Timeout(6, name="t2")
    again["hedge"] = Hedge("h2", delay=1)
    odd = 0
    for outer, around in kinds.items():
        for inner, within in {**kinds, **again}.items():
            if around is within or not texts(lambda two=(around, within): Pipeline("p", *two)):
                continue
            odd += 1
            pairs = [pair for pair in listed if pair[0].startswith((outer, "anything"))]
            assert any(pair[1].startswith(inner) for pair in pairs), f"{outer}, {inner}"
    assert odd >= len(listed) - 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: (Timeout(10, name="all"), Retry("r"), CircuitBreaker("b"), attempt(2)),
        lambda: (Retry("r", max_duration=3), attempt(2.9)),
        lambda: (CircuitBreaker("b", window=seawall.seconds(4)), attempt(2)),
        lambda: (CircuitBreaker("b", window=seawall.calls(100)), attempt(2)),
        lambda: (Retry("r"), attempt(100)),
        lambda: (CircuitBreaker("region"), CircuitBreaker("host")),
        lambda: (),
    ],
)
def test_what_is_usual_is_not_told(make):
    """The recommended order, and limits that leave room for one another, are not remarked on."""
    assert texts(lambda: Pipeline("shop", *make())) == []


def test_every_pair_is_told_at_once():
    """Three retries and a breaker around them: each pair is a warning of its own."""
    assert len(texts(lambda: Pipeline("p", CircuitBreaker("b"), Retry("r"), Retry("s")))) == 3


def test_the_users_line_is_blamed():
    """A warning names the line of the program that composed, for a pipeline as for a stack."""
    for seen in (
        warned(lambda: Pipeline("p", CircuitBreaker("b"), Retry("r"))),
        warned(lambda: CircuitBreaker("b")(Retry("r")(print))),
    ):
        assert [warning.filename for warning in seen] == [__file__]
        assert "CircuitBreaker(" in linecache.getline(__file__, seen[0].lineno)


def test_told_once_for_a_line():
    """What a loop composes again and again, as for each request, is told once."""
    breaker, retry = CircuitBreaker("b"), Retry("r")
    assert len(texts(lambda: [Pipeline("p", breaker, retry) for _ in range(3)])) == 1


def test_a_pipeline_is_told_of_when_it_is_made_only():
    """Each function that it is put on is no new composition."""

    def make():
        guard = Pipeline("p", CircuitBreaker("b"), Retry("r"))
        guard(lambda: 1)
        guard(lambda: 2)

    assert len(warned(make)) == 1


def test_a_stack_is_told_of_each_pair_once():
    """What is put on top is compared with what is below, not that with itself once more."""

    def make():
        @CircuitBreaker("b")
        @Retry("r")
        @Retry("s")
        def function():
            pass

    pairs = [text.split(": ", 1)[1][:10] for text in texts(make)]
    assert pairs == ["<Retry 's'", "<Retry 'r'", "<Retry 's'"]


def test_a_warning_made_an_error_composes_nothing():
    """Who turns warnings into errors gets it raised, and the function stays as it was."""
    with pytest.raises(CompositionWarning):
        CircuitBreaker("b")(Retry("r")(print))


def problems(make):
    """Fields and rules of what is refused."""
    with pytest.raises(seawall.ConfigError) as caught:
        make()
    return [(problem.field, problem.rule.split(":")[0]) for problem in caught.value.problems]


def test_everything_that_is_refused_is_said_at_once():
    """No name, no policy, one twice: one error with all of them."""
    retry = Retry("r")
    assert problems(lambda: Pipeline("", 3, retry, retry)) == [
        ("name", "must be a string that is not empty"),
        ("policies[0]", "is not a policy"),
        ("policies[2]", "is there twice"),
    ]


def test_a_retry_inside_of_a_pool_is_refused():
    """Threads limit one call each: a retry inside would be limited as a whole, in one thread."""
    pool = Timeout(1, name="pool", pool="threads")
    [(field, rule)] = problems(lambda: Pipeline("p", pool, Retry("r")))
    assert field == "policies[1]"
    assert rule.startswith("is inside of a timeout with threads of its own")


def test_seventeen_policies_are_too_many():
    """A plan has sixteen steps."""
    breakers = [CircuitBreaker(f"b{number}") for number in range(17)]
    assert Pipeline("p", *breakers[:16]).call(lambda: 1) == 1
    assert problems(lambda: Pipeline("p", *breakers)) == [("policies", "are too many")]


@pytest.mark.parametrize("stacked", [False, True])
def test_stacking_is_a_pipeline(stacked):
    """Either way: the same attempts, the same counts, the same error, in one wrapper."""
    retry = Retry("r", attempts=4, on=OSError, backoff=10)
    breaker = CircuitBreaker("b", failure_threshold=2, open_duration=60)
    times = []

    def body():
        times.append(clock.elapsed)
        raise OSError

    with seawall.testing.clock(autojump=True) as clock:
        function = retry(breaker(body)) if stacked else Pipeline("p", retry, breaker)(body)
        assert repr(function).endswith(f"protected by {(retry, breaker)!r}>")
        with pytest.raises(seawall.CircuitOpenError):
            function()
    assert times == [0.0, 10.0]
    assert retry.snapshot().counts["retries"] == 2
    assert breaker.snapshot().counts["rejected"] == 1


def pipeline():
    """A pipeline of one of each."""
    return Pipeline(
        "p", Timeout(9, name="all"), Retry("r"), CircuitBreaker("b"), Timeout(2, name="attempt")
    )


def test_reconfigured_by_name_and_kind():
    """Functions that were decorated before go by the new settings from their next call on."""
    guard = pipeline()
    calls = []

    def body():
        calls.append(1)
        raise ConnectionError

    function = guard(body)
    guard.reconfigure({"all": {"seconds": 5}}, retry={"attempts": 1, "on": OSError})
    with pytest.raises(ConnectionError):
        function()
    assert len(calls) == 1
    assert guard.policies[0].settings["seconds"] == 5


def test_reconfigured_all_or_none():
    """Of several policies of which the last is given something wrong, none is changed."""
    guard = pipeline()
    before = [policy.settings for policy in guard.policies]
    with pytest.raises(seawall.ConfigError, match=r"pipeline 'p': breaker\.failure_rate=7"):
        guard.reconfigure(
            {"all": {"seconds": 5}}, retry={"attempts": 5}, breaker={"failure_rate": 7}
        )
    assert [policy.settings for policy in guard.policies] == before
    assert guard.call(lambda: "works") == "works"


def test_reconfigured_wrongly_in_several_ways():
    """What is wrong with each policy, and names that are nobody's, are said at once."""
    guard = pipeline()
    before = [policy.settings for policy in guard.policies]
    with pytest.raises(seawall.ConfigError) as caught:
        guard.reconfigure(
            {"all": {"seconds": 5}, "bulkhead": {}},
            retry={"attempts": 0, "atempts": 3},
            breaker={"failure_rate": 7},
            attempt=2,
        )
    fields = {problem.field for problem in caught.value.problems}
    assert fields == {
        "attempt",
        "breaker.failure_rate",
        "bulkhead",
        "retry.atempts",
        "retry.attempts",
    }
    assert [policy.settings for policy in guard.policies] == before


def test_reconfiguring_nobody_names_who_is_there():
    """Unknown and ambiguous names are refused, all of them at once, and nothing is changed."""
    guard = pipeline()
    with pytest.raises(seawall.ConfigError) as caught:
        guard.reconfigure(retry={"attempts": 5}, timeout={"seconds": 5}, bulkhead={})
    assert guard.policies[1].settings["attempts"] == 3
    assert [problem.rule for problem in caught.value.problems] == [
        "may be any of timeout 'all', timeout 'attempt': say which by its name",
        "is no policy of this; it has timeout 'all', retry 'r', breaker 'b', timeout 'attempt'",
    ]


def test_one_name_for_two_policies_asks_for_the_kind():
    """Retry and breaker may share the name of what they call; then the kind tells them apart."""
    guard = Pipeline("p", Retry("shop"), CircuitBreaker("shop"))
    with pytest.raises(seawall.ConfigError, match="retry 'shop', breaker 'shop': say which by its"):
        guard.reconfigure(shop={"attempts": 2})
    guard.reconfigure(retry={"attempts": 2})
    assert guard.policies[0].settings["attempts"] == 2


def test_the_budget_of_a_retry_is_reconfigured_with_it():
    """It is no policy of a pipeline, but settings of the standard one are said for it as well."""
    guard = seawall.standard("shop", budget={"ratio": 0.1})
    guard.reconfigure(budget={"ratio": 0.5}, retry={"attempts": 5})
    assert seawall.registry.get("budget", "shop").settings["ratio"] == 0.5
    assert guard.policies[1].settings["attempts"] == 5


@pytest.mark.parametrize("which", ["budget", "spent"])
def test_a_budget_by_its_name(which):
    """Or by its kind; also where the retry was given no more than its name."""
    spent = seawall.RetryBudget("spent")
    guard = Pipeline("p", Retry("r", budget="spent"))
    guard.reconfigure({which: {"ratio": 0.5}})
    assert spent.settings["ratio"] == 0.5


def test_a_budget_is_taken_back_with_the_rest():
    """All or none holds for it too, and what is wrong with it is said with what else is."""
    guard = seawall.standard("shop")
    with pytest.raises(seawall.ConfigError) as caught:
        guard.reconfigure(budget={"ratio": -1}, retry={"attempts": 0}, attempt={"seconds": 1})
    assert {problem.field for problem in caught.value.problems} == {
        "attempt",
        "budget.ratio",
        "retry.attempts",
    }
    with pytest.raises(seawall.ConfigError):
        guard.reconfigure(budget={"ratio": 0.5}, breaker={"failure_rate": 7})
    assert seawall.registry.get("budget", "shop").settings["ratio"] == 0.2


@pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")
def test_a_shared_budget_is_one():
    """Two retries of one budget leave no doubt which is meant; of two budgets they do."""
    shared = seawall.RetryBudget("shared")
    one, two = Retry("one", budget=shared), Retry("two", budget=shared, nested="independent")
    Pipeline("p", one, two).reconfigure(budget={"ratio": 0.5})
    assert shared.settings["ratio"] == 0.5
    other = Retry("three", budget=seawall.RetryBudget("other"), nested="independent")
    with pytest.raises(seawall.ConfigError, match="budget 'shared', budget 'other': say which by"):
        Pipeline("q", one, other).reconfigure(budget={"ratio": 0.1})


def test_a_policy_of_the_name_comes_before_a_budget():
    """A retry that shares its name with its budget is still the one that is meant."""
    guard = Pipeline("p", Retry("shop", budget=seawall.RetryBudget("shop")))
    guard.reconfigure(shop={"attempts": 2})
    assert guard.policies[0].settings["attempts"] == 2


def test_no_budget_to_reconfigure():
    """A pipeline without one says what it has; a name that nobody has made is no budget yet."""
    for retry in (Retry("r"), Retry("s", budget="later")):
        with pytest.raises(seawall.ConfigError, match=r"it has retry '.'$"):
            Pipeline("p", retry).reconfigure(budget={"ratio": 0.5})
