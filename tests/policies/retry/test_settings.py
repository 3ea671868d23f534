"""Settings: what is right, and every problem at once."""

from datetime import timedelta

import pytest
import seawall


def problems(**settings):
    """What is wrong with them, by field."""
    with pytest.raises(seawall.ConfigError) as wrong:
        seawall.Retry("wrong", **settings)
    return {problem.field: problem for problem in wrong.value.problems}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempts", 0),
        ("attempts", -1),
        ("attempts", 1.5),
        ("attempts", True),
        ("attempts", "three"),
        ("attempts", 10**12),
        ("on", 5),
        ("on", (ValueError, 5)),
        ("on", KeyboardInterrupt),
        ("ignore", "OSError"),
        ("on_result", 1),
        ("backoff", -1),
        ("backoff", float("nan")),
        ("backoff", "soon"),
        ("backoff", {ValueError: "soon"}),
        ("backoff", {"ValueError": 1}),
        ("backoff", seawall.exponential(1, factor=0.5)),
        ("backoff.base", seawall.constant(-1)),
        ("max_delay", 0),
        ("max_delay", timedelta(days=36_500)),
        ("max_duration", 0),
        ("max_duration", float("inf")),
        ("max_duration", timedelta(seconds=-1)),
        ("retry_after", "yes"),
        ("nested", "inherited"),
        ("nested", 3),
        ("reraise", 2),
        ("before_sleep", 1),
        ("after_end", 1),
        ("on_event", 1),
        ("budget", 1),
    ],
)
def test_what_is_wrong_is_named(field, value):
    """The setting, and the value that it was given."""
    found = problems(**{field.split(".")[0]: value})
    assert len(found) == 1
    assert next(iter(found)).startswith(field.split(".")[0])


def test_all_at_once():
    """One error names every problem."""
    found = problems(attempts=0, backoff=-1, max_delay=0, nested="refus", reraise=1, attemps=3)
    assert set(found) == {"attempts", "backoff", "max_delay", "nested", "reraise", "attemps"}
    assert found["attemps"].nearest == "attempts"
    assert "refuse" in str(found["nested"].nearest)


def test_nothing_is_made_of_wrong_settings():
    """The name stays free."""
    problems(attempts=0)
    assert seawall.Retry("wrong", attempts=1).settings["attempts"] == 1


def test_defaults():
    """As the documentation lists them."""
    assert dict(seawall.Retry().settings) == {
        "attempts": 3,
        "on": seawall.transient,
        "ignore": (),
        "on_result": None,
        "backoff": seawall.exponential(0.1, cap=5.0, jitter="full"),
        "max_delay": None,
        "max_duration": None,
        "budget": None,
        "retry_after": True,
        "nested": "inherit",
        "reraise": True,
        "before_sleep": None,
        "after_end": None,
        "on_event": None,
    }


def test_times_may_be_timedeltas():
    """Everywhere; they are told in seconds."""
    settings = seawall.Retry(
        max_delay=timedelta(minutes=1), max_duration=timedelta(hours=1), backoff=timedelta(0)
    ).settings
    assert (settings["max_delay"], settings["max_duration"]) == (60.0, 3600.0)


def test_none_is_the_default():
    """For each setting."""
    every = dict.fromkeys(seawall.Retry().settings)
    assert seawall.Retry(**every).settings == seawall.Retry().settings


def test_the_decorator_takes_a_name_first():
    """Or by keyword, and not both."""
    assert seawall.retry("one", attempts=2).name == "one"
    assert seawall.retry(name="two").name == "two"
    with pytest.raises(TypeError, match="two names"):
        seawall.retry("one", name="two")


def test_a_snapshot_is_a_picture():
    """Its settings and counts can't be changed, and do not."""
    retry = seawall.Retry("seen", attempts=2)
    before = retry.snapshot()
    retry.call(int)
    assert (before.name, before.kind, before.key, before.in_flight) == ("seen", "retry", None, 0)
    assert before.counts["success"] == 0
    assert retry.snapshot().counts["success"] == 1
    assert before.settings["attempts"] == 2
    with pytest.raises(TypeError):
        before.counts["success"] = 5
