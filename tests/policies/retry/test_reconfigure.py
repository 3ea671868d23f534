"""Settings that change in place."""

import pytest
import seawall

from tests.policies.retry.service import counts


def test_calls_from_now_on(kind, script):
    """The next call goes by what was changed; counters stay."""
    retry = seawall.Retry(backoff=1)
    work = kind.function(script(ConnectionError))
    protected = retry(work)
    for attempts in (2, 4, 1, None):
        retry.reconfigure(attempts=attempts)
        outcome = kind.run(retry.try_call, work)
        assert outcome.attempts == (attempts or 3)
        with pytest.raises(ConnectionError):
            kind.run(protected)
    assert counts(retry) == {"gave_up_attempts": 8, "retries": 12}


@pytest.mark.parametrize(
    ("changes", "calls"),
    [
        ({"attempts": 1}, 4),
        ({"on": KeyError}, 4),
        ({"ignore": ConnectionError}, 4),
        ({"max_duration": 1}, 4),
    ],
)
def test_a_call_that_runs_keeps_its_settings(kind, script, changes, calls):
    """Whatever is changed between its attempts is for the next one."""
    body = script(ConnectionError)

    def work():
        if body.calls == 1:
            retry.reconfigure(**changes)
        return body()

    retry = seawall.Retry(attempts=4, backoff=3)
    with pytest.raises(ConnectionError):
        kind.run(retry(kind.function(work)))
    assert body.calls == calls
    assert body.waits == [3, 3, 3]
    assert "in_flight" not in counts(retry)


def test_a_coroutine_begins_by_the_settings_at_its_first_step(loop, script):
    """It was made before, and had not begun."""
    body = script(ConnectionError)
    retry = seawall.Retry(backoff=1)
    call = retry(loop.function(body))()
    retry.reconfigure(attempts=5)
    with pytest.raises(ConnectionError):
        loop.run(lambda: call)
    assert body.calls == 5


def test_wrong_changes_change_nothing():
    """All of them are named; what was right among them is not taken either."""
    retry = seawall.Retry(attempts=4)
    with pytest.raises(seawall.ConfigError) as wrong:
        retry.reconfigure(attempts=0, max_delay=-1, backoff=2)
    assert [problem.field for problem in wrong.value.problems] == ["attempts", "max_delay"]
    assert retry.settings["attempts"] == 4
    assert retry.settings["backoff"] == seawall.exponential(0.1, cap=5.0)


def test_pipelines_and_stacks_follow(kind, script):
    """In plans of several policies as well."""
    retry = seawall.Retry(backoff=1)
    body = script(ConnectionError)
    work = seawall.Pipeline("both", retry, seawall.CircuitBreaker())(kind.function(body))
    retry.reconfigure(attempts=2)
    with pytest.raises(ConnectionError):
        kind.run(work)
    assert body.calls == 2
