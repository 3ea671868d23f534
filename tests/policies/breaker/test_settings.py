"""Settings: every wrong one is named at once, and every way to say a right one works."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import seawall


def problems(**settings):
    """The problems of settings, by field."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.CircuitBreaker("wrong", **settings)
    return {problem.field: problem for problem in caught.value.problems}


WRONG = {
    "failure_threshold": [0, -1, 65_536, 10**30, 1.0, 1.5, True, "3", [3]],
    "failure_rate": [0, -0.1, 1.000_001, float("nan"), float("inf"), True, "0.5", [1]],
    "slow_call_rate": [0, 2, "half", False],
    "slow_call_duration": [0, -1, float("nan"), float("inf"), timedelta(0), True, "1s"],
    "window": [
        10,
        "calls(10)",
        seawall.calls(0),
        seawall.calls(100_001),
        seawall.calls(1.5),
        seawall.calls(True),
        seawall.seconds(0.05),
        seawall.seconds(-1),
        seawall.seconds("60"),
        seawall.seconds(timedelta(milliseconds=99)),
        ("calls", 10),
    ],
    "min_calls": [0, -5, 2.0, True, "20"],
    "open_duration": [0, -1, float("nan"), True, "30s", object(), timedelta(days=-1)],
    "half_open_calls": [0, 257, True, 1.0],
    "success_threshold": [0, 65_536, True, 1.0],
    "half_open_max_duration": [0, -1, True, "60", 1e12],
    "on": [
        KeyboardInterrupt,
        BaseException,
        (OSError, int),
        [OSError, "x"],
        "OSError",
        5,
        OSError(),
    ],
    "ignore": [SystemExit, (OSError, None), 5, "KeyError"],
    "on_result": [True, 503, (503,), "is_bad"],
    "on_event": [True, print.__name__, []],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG.items() for value in values]
)
def test_each_wrong_value_is_named(field, value):
    """A wrong value gives one problem on its field, which shows the value and states the rule."""
    beside = {
        "slow_call_rate": {"slow_call_duration": 1},
        "slow_call_duration": {"slow_call_rate": 1},
    }
    found = problems(**{field: value, **beside.get(field, {})})
    assert list(found) == [field]
    assert found[field].rule.startswith(("must be ", "must count "))
    assert found[field].value


def test_all_of_them_at_once():
    """Sixteen wrong settings, unknown ones among them, are sixteen problems of one error."""
    wrong = {field: values[0] for field, values in WRONG.items()}
    found = problems(**wrong, failure_treshold=3, banana=1)
    assert set(found) == {*WRONG, "failure_treshold", "banana"}


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("failure_treshold", "failure_threshold"),
        ("fail_max", None),
        ("half_open_call", "half_open_calls"),
        ("openduration", "open_duration"),
        ("xyzzy", None),
    ],
)
def test_an_unknown_name_shows_the_nearest(given, nearest):
    """A slip of the pen is answered with what was probably meant; nonsense is not."""
    problem = problems(**{given: 1})[given]
    assert problem.rule == "is not a setting"
    if nearest is not None:
        assert problem.nearest == nearest
        assert f"did you mean {nearest}?" in str(problem)


@pytest.mark.parametrize("name", ["", 5, b"payments", ["payments"]])
def test_a_name_is_a_string_that_is_not_empty(name):
    """Any other name is refused, along with what else is wrong."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.CircuitBreaker(name, min_calls=0)
    assert [problem.field for problem in caught.value.problems] == ["name", "min_calls"]


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"slow_call_rate": 0.5}, "slow_call_duration"),
        ({"slow_call_duration": 1}, "slow_call_rate"),
    ],
)
def test_half_a_slow_rule_is_none(settings, missing):
    """Of a slow-call rule with one half the other is asked for."""
    assert list(problems(**settings)) == [missing]


def test_a_wrong_half_of_a_slow_rule_is_one_problem():
    """A half of the wrong kind is not reported as missing as well."""
    assert list(problems(slow_call_rate="x", slow_call_duration=1)) == ["slow_call_rate"]


@pytest.mark.parametrize(
    ("backoff", "fields"),
    [
        (seawall.constant(-1), {"base"}),
        (seawall.constant(0), {"base"}),
        (seawall.exponential(0), {"base"}),
        (seawall.linear(1e-12), {"base"}),
        (seawall.custom(print, cap=0), {"cap"}),
        (
            seawall.exponential("x", factor=True, cap="y", jitter=[]),
            {"base", "factor", "cap", "jitter"},
        ),
        (seawall.exponential("x", cap=0.01, jitter="smoth"), {"base", "jitter"}),
        (seawall.exponential(2, factor=0.5, cap=1, jitter=1.5), {"factor", "cap", "jitter"}),
        (seawall.linear(1, jitter="smooth"), {"jitter"}),
        (seawall.custom(5), {"callable"}),
        (seawall.custom(None), {"callable"}),
        (seawall.custom(print, cap=-1), {"cap"}),
        (seawall.Backoff("quadratic", 1.0), {"kind"}),
    ],
)
def test_a_backoff_is_checked_in_all_its_parts(backoff, fields):
    """Every wrong part is named, as a part of the setting, beside the other settings' problems."""
    found = problems(open_duration=backoff, min_calls=0)
    assert set(found) == {"min_calls", *(f"open_duration.{field}" for field in fields)}


class Whole:
    """A whole number of a foreign kind, as numpy's are."""

    def __index__(self):
        return 7


class Real:
    """A real number of a foreign kind."""

    def __float__(self):
        return 0.25


def test_foreign_numbers_are_numbers():
    """What Python takes for a whole or a real number is one."""
    breaker = seawall.CircuitBreaker(
        failure_threshold=Whole(),
        failure_rate=Fraction(1, 4),
        slow_call_rate=Decimal("0.25"),
        slow_call_duration=Real(),
        window=seawall.calls(Whole()),
        half_open_max_duration=Whole(),
    )
    settings = breaker.settings
    assert (settings["failure_threshold"], settings["window"].size) == (7, 7)
    assert settings["failure_rate"] == settings["slow_call_rate"] == 0.25
    assert (settings["slow_call_duration"], settings["half_open_max_duration"]) == (0.25, 7.0)


def test_every_time_may_be_a_timedelta():
    """Seconds and timedeltas say the same."""
    two = timedelta(seconds=2)
    said = {"slow_call_rate": 0.5, "half_open_max_duration": two, "slow_call_duration": two}
    breaker = seawall.CircuitBreaker(**said, window=seawall.seconds(two), open_duration=two)
    settings = breaker.settings
    assert settings["window"] == ("seconds", 2.0)
    for name in ("slow_call_duration", "half_open_max_duration", "open_duration"):
        assert settings[name] == 2.0
        assert isinstance(settings[name], float)


def test_none_is_the_default():
    """Every setting may be None, and is then as if it were not given."""
    every = dict.fromkeys(seawall.BreakerSettings.__annotations__)
    assert seawall.CircuitBreaker(**every).settings == seawall.CircuitBreaker().settings


def test_nothing_is_left_behind_by_a_refusal():
    """A name whose settings were refused is free."""
    problems(min_calls=0)
    assert seawall.registry.get("breaker", "wrong") is None
    assert seawall.CircuitBreaker("wrong", min_calls=5).settings["min_calls"] == 5


def test_the_message_says_it_all():
    """One line: what was configured, and each field with value, rule and hint."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.CircuitBreaker("shop", failure_rate=1.5, min_cals=3)
    assert str(caught.value) == (
        "breaker 'shop': failure_rate=1.5 must be above 0 and at most 1; "
        "min_cals=3 is not a setting (did you mean min_calls?)"
    )


def test_a_value_that_has_no_representation_harms_nothing():
    """A value whose repr raises is still a problem among the others."""

    class Shy:
        def __repr__(self):
            raise RuntimeError("no")

    assert set(problems(min_calls=Shy(), banana=Shy())) == {"min_calls", "banana"}


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"failure_threshold": 10**30}, str(10**30)),
        ({"min_calls": -(10**30)}, str(-(10**30))),
        ({"half_open_max_duration": 1e308}, "1e+308"),
        ({"failure_rate": 1e308}, "1e+308"),
        ({"window": seawall.calls(0)}, "calls(0)"),
        ({"window": seawall.seconds(-1)}, "seconds(-1)"),
        ({"open_duration": seawall.linear(1e308)}, "1e+308"),
    ],
)
def test_a_problem_shows_what_was_written(settings, value):
    """The value in a problem is the one given, not what became of it on the way to the rule."""
    [problem] = problems(**settings).values()
    assert problem.value == value


def test_a_value_that_can_not_be_shown_shows_its_type():
    """Python writes no whole number of more than 4300 digits; what it was is said all the same."""
    [problem] = problems(min_calls=10**5000).values()
    assert problem.value == "<int>"


def test_a_problem_is_one_line():
    """A value whose text is long is cut."""
    [problem] = problems(min_calls=-(10**1000)).values()
    assert len(problem.value) == 100
    assert problem.value.endswith("…")
