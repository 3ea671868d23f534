"""What a retry tells, to whom, and in what order."""

import pytest
import seawall

from tests.policies.retry.service import counts


def test_what_is_told_of_a_call_that_recovers(kind, script, told):
    """Each wait, and the end; with what the attempts came to."""
    retry = seawall.Retry("payments", backoff=seawall.linear(2))
    body = script(ConnectionError, ConnectionError, "good")
    kind.run(retry(kind.function(body)))
    assert told.kinds == ["retry.scheduled", "retry.scheduled", "retry.recovered"]
    assert [(event.attempts, round(event.elapsed)) for event in told] == [(1, 0), (2, 2), (3, 6)]
    assert [event.error for event in told[:2]] == body.raised
    assert [event.delay for event in told[:2]] == [2, 4]
    assert (told[2].error, told[2].value) == (None, "good")
    assert [event.seq for event in told] == [1, 2, 3]
    assert {(event.policy, event.name) for event in told} == {("retry", "payments")}
    assert [event.at - told[0].at for event in told] == pytest.approx([0, 2, 6])


def test_what_is_told_of_a_call_that_is_given_up(kind, script, told):
    """The last event has the error that the caller gets, and why there was no further attempt."""
    body = script(ConnectionError)
    with pytest.raises(ConnectionError) as raised:
        kind.run(seawall.Retry(backoff=1)(kind.function(body)))
    assert told.kinds == ["retry.scheduled", "retry.scheduled", "retry.gave_up"]
    assert told[2].error is raised.value
    assert (told[2].why, told[2].attempts, told[2].value) == ("attempts", 3, None)
    assert told[2].elapsed == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("line", [1, ValueError])
def test_nothing_is_told_of_a_call_of_one_attempt(kind, script, told, line):
    """Neither of one that goes well nor of one that fails for good."""
    kind.run(seawall.Retry().try_call, kind.function(script(line)))
    assert told == []


def test_results_are_told(kind, script, told):
    """What was returned is in `value`."""
    retry = seawall.Retry(on_result=lambda value: value < 0, attempts=2, backoff=1)
    kind.run(retry(kind.function(script(-1, -2))))
    assert [(event.kind, event.value, event.error) for event in told] == [
        ("retry.scheduled", -1, None),
        ("retry.gave_up", -2, None),
    ]


def test_who_hears_first(kind, script, clock):
    """The hook, then the retry's own listener, then those of all; before the wait begins."""
    heard = []

    def hear(who):
        return lambda event: heard.append((who, event.kind[6:], round(clock.elapsed)))

    retry = seawall.Retry(
        backoff=3, before_sleep=hear("sleep"), after_end=hear("end"), on_event=hear("own")
    )
    with seawall.testing.record() as all_told:
        kind.run(retry(kind.function(script(ConnectionError, 1))))
    assert heard == [
        ("sleep", "scheduled", 0),
        ("own", "scheduled", 0),
        ("end", "recovered", 3),
        ("own", "recovered", 3),
    ]
    assert all_told.kinds == ["retry.scheduled", "retry.recovered"]


def test_hooks_hear_without_listeners(kind, script):
    """Each its own kinds only."""
    slept, ended = [], []
    retry = seawall.Retry(backoff=1, before_sleep=slept.append, after_end=ended.append)
    with pytest.raises(ConnectionError):
        kind.run(retry(kind.function(script(ConnectionError))))
    assert [event.kind for event in slept] == ["retry.scheduled"] * 2
    assert [event.kind for event in ended] == ["retry.gave_up"]


@pytest.mark.parametrize("which", ["before_sleep", "after_end", "on_event"])
def test_a_hook_that_raises(kind, script, which):
    """Its error is counted and logged, and never reaches the call."""

    def hook(event):
        raise RuntimeError("mistake")

    retry = seawall.Retry(backoff=1, **{which: hook})
    with seawall.testing.record() as told:
        assert kind.run(retry(kind.function(script(ConnectionError, 1)))) == 1
    assert told.kinds == ["retry.scheduled", "retry.recovered"]
    assert counts(retry) == {"recovered": 1, "retries": 1}


def test_a_hook_that_raises_the_callers_error(kind, script):
    """It leaves no trace on it: neither a frame nor a context."""

    def hook(event):
        try:
            raise KeyError("other")
        except KeyError:
            raise event.error from None

    body = script(ConnectionError)
    retry = seawall.Retry(backoff=1, before_sleep=hook, after_end=hook)
    with pytest.raises(ConnectionError) as raised:
        kind.run(retry(kind.function(body)))
    assert raised.value.__context__ is None
    assert "hook" not in [entry.name for entry in raised.traceback]


def test_a_hook_may_call_and_change_the_retry(script):
    """Nothing is locked while it runs."""
    seen = []

    def hook(event):
        seen.append(retry.snapshot().in_flight)
        retry.reconfigure(attempts=event.attempts)
        seen.append(retry.call(lambda: "inside"))

    retry = seawall.Retry(backoff=1, before_sleep=hook)
    with pytest.raises(ConnectionError):
        retry(script(ConnectionError))()
    assert seen == [1, "inside"] * 2
    assert retry.settings["attempts"] == 2


def test_a_hook_that_is_interrupted(script):
    """Ctrl-C in a hook is raised once the hook is over: the call does not go on."""

    def hook(event):
        raise KeyboardInterrupt

    body = script(ConnectionError)
    retry = seawall.Retry(backoff=0, attempts=100, before_sleep=hook)
    with pytest.raises(KeyboardInterrupt):
        retry(lambda: body())()
    assert body.calls <= 2
    assert "in_flight" not in counts(retry)
