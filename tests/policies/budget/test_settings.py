"""Settings: every wrong one is named at once, and what a mode has no use for is refused."""

from datetime import timedelta

import pytest
import seawall


def problems(**settings):
    """The problems of settings, by field."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.RetryBudget("wrong", **settings)
    return {problem.field: problem for problem in caught.value.problems}


WRONG = [
    ("mode", ["ration", "", 5, "Ratio"], {}),
    ("ratio", [-0.1, 1.000_001, float("nan"), float("inf"), True, "0.5"], {}),
    ("ratio", [0, 0.0001, 1.5, -1], {"mode": "tokens"}),
    ("min_per_second", [-1, float("nan"), float("inf"), 1e7, "10", False], {}),
    ("ttl", [0, 0.09, -1, 3601, float("nan"), timedelta(hours=2), "10s", True], {}),
    ("min_concurrent", [-1, 1.5, 10**30, True, "3"], {"mode": "concurrency"}),
    ("max_tokens", [0, 1_000_001, 2.5, True], {"mode": "tokens"}),
    ("on_event", [True, "print", []], {}),
]


@pytest.mark.parametrize(
    ("field", "value", "beside"),
    [(field, value, beside) for field, values, beside in WRONG for value in values],
)
def test_each_wrong_value_is_named(field, value, beside):
    """A wrong value gives one problem on its field, which shows the value and states the rule."""
    found = problems(**{field: value, **beside})
    assert list(found) == [field]
    assert found[field].rule.startswith("must ")
    assert found[field].value


def test_all_of_them_at_once():
    """Wrong, useless and unknown settings are problems of one error."""
    found = problems(mode="tokens", ratio=2, ttl=5, max_tokens=0, min_per_secnd=1, on_event=1)
    assert set(found) == {"ratio", "ttl", "max_tokens", "min_per_secnd", "on_event"}
    assert found["min_per_secnd"].nearest == "min_per_second"


@pytest.mark.parametrize(
    ("mode", "useless"),
    [
        ("ratio", {"min_concurrent": 3, "max_tokens": 10}),
        ("concurrency", {"min_per_second": 1, "ttl": 10, "max_tokens": 10}),
        ("tokens", {"min_per_second": 1, "ttl": timedelta(seconds=10), "min_concurrent": 3}),
    ],
)
def test_what_the_mode_has_no_use_for(mode, useless):
    """A setting of another mode is refused, and the mode that it is for is named."""
    found = problems(mode=mode, **useless)
    assert set(found) == set(useless)
    assert all(f"and mode is '{mode}'" in problem.rule for problem in found.values())


@pytest.mark.parametrize("mode", [5, "ration"])
def test_a_wrong_mode_is_one_problem(mode):
    """Of settings for a mode that nobody knows it is not said that they are for another."""
    assert list(problems(mode=mode, max_tokens=5, ttl=5)) == ["mode"]


@pytest.mark.parametrize("name", ["", 5, b"payments"])
def test_a_name_is_a_string_that_is_not_empty(name):
    """Any other name is refused, along with what else is wrong."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.RetryBudget(name, ratio=2)
    assert [problem.field for problem in caught.value.problems] == ["name", "ratio"]


@pytest.mark.parametrize(
    ("given", "in_force"),
    [
        ({}, {"mode": "ratio", "ratio": 0.2, "min_per_second": 10.0, "ttl": 10.0}),
        ({"ttl": timedelta(minutes=1)}, {"ttl": 60.0, "min_concurrent": None}),
        ({"mode": "concurrency"}, {"ratio": 0.2, "min_concurrent": 3, "ttl": None}),
        ({"mode": "tokens", "ratio": 0.001}, {"ratio": 0.001, "max_tokens": 100}),
        ({"mode": None, "ratio": None, "max_tokens": None}, {"mode": "ratio", "ratio": 0.2}),
        ({"on_event": print}, {"on_event": print}),
    ],
)
def test_defaults(given, in_force):
    """What is left out, or None, has its default; what the mode has no use for is None."""
    settings = seawall.RetryBudget(**given).settings
    assert {name: settings[name] for name in in_force} == in_force
    assert seawall.RetryBudget(**given).snapshot().settings == settings
