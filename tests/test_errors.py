"""What errors say, and what becomes of them on their way."""

import copy
import pickle

import pytest
import seawall


@pytest.fixture(autouse=True)
def own():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


def test_the_family():
    """Everything is a SeawallError; refusals are Rejected, wrong settings are ValueErrors."""
    assert issubclass(seawall.Rejected, seawall.SeawallError)
    assert issubclass(seawall.CircuitOpenError, seawall.Rejected)
    assert issubclass(seawall.ConfigError, (seawall.SeawallError, ValueError))
    assert issubclass(seawall.ConfigError, ValueError)
    assert issubclass(seawall.SeawallError, Exception)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            seawall.CircuitOpenError("shop", 12.3456, "open"),
            "circuit 'shop' is open; try again in 12.3 s",
        ),
        (
            seawall.CircuitOpenError("shop", 0.0, "open"),
            "circuit 'shop' is open; try again in a moment",
        ),
        (
            seawall.CircuitOpenError("shop", 0.0, "half_open"),
            "circuit 'shop' is half-open and all of its probes are out; try again in a moment",
        ),
        (
            seawall.CircuitOpenError("shop", None, "forced_open"),
            "circuit 'shop' is forced open: it stays so until reset() is called",
        ),
        (
            seawall.Rejected("shop", None),
            "policy 'shop' refused the call; it does not say when to try again",
        ),
        (
            seawall.CircuitOpenError("shop", 123_456.0, "open"),
            "circuit 'shop' is open; try again in 123456 s",
        ),
    ],
)
def test_messages(error, message):
    """What happened, to which policy, and when to try again."""
    assert str(error) == message


def refusal(breaker):
    """What refuses a call."""
    with pytest.raises(seawall.CircuitOpenError) as caught:
        breaker.call(int)
    return caught.value


def test_a_refusal_knows_who_and_when():
    """Policy, name, state and the seconds to wait are attributes."""
    breaker = seawall.CircuitBreaker("shop", failure_threshold=1, open_duration=8)
    with seawall.testing.clock() as clock:
        breaker.try_call(lambda: 1 / 0)
        clock.advance(3)
        error = refusal(breaker)
    assert (error.policy, error.name, error.state) == ("breaker", "shop", "open")
    assert error.retry_after == 5.0
    assert isinstance(error.retry_after, float)


def test_each_refusal_is_a_fresh_one():
    """No exception object is raised twice: a traceback never grows with other people's calls."""
    breaker = seawall.CircuitBreaker("shop")
    breaker.force_open()
    errors = [refusal(breaker) for _ in range(5)]
    assert len({id(error) for error in errors}) == 5
    depths = []
    for error in errors:
        depth, traceback = 0, error.__traceback__
        while traceback is not None:
            depth, traceback = depth + 1, traceback.tb_next
        depths.append(depth)
    assert len(set(depths)) == 1
    assert all(error.__context__ is None for error in errors)


@pytest.mark.parametrize(
    "error",
    [
        seawall.CircuitOpenError("shop", 5.0, "open"),
        seawall.CircuitOpenError("shop", None, "forced_open"),
        seawall.Rejected("shop", 1.0),
        seawall.SeawallError("words"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy]
)
def test_errors_travel(error, again):
    """Pickled to another process or copied, an error is as it was, notes included."""
    error.add_note("on the way")
    other = again(error)
    assert type(other) is type(error)
    assert (other.args, str(other)) == (error.args, str(error))
    assert other.__notes__ == error.__notes__
    del error.__notes__


@pytest.mark.parametrize(
    "again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy]
)
def test_a_config_error_travels(again):
    """With every problem, typed as before."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.CircuitBreaker("shop", min_calls=0, failure_treshold=1)
    error = caught.value
    other = again(error)
    assert (other.subject, other.problems, str(other)) == (
        error.subject,
        error.problems,
        str(error),
    )
    assert [problem.field for problem in other.problems] == ["min_calls", "failure_treshold"]
    assert all(isinstance(problem, seawall.Problem) for problem in other.problems)
    assert other.problems[1].nearest == "failure_threshold"


def test_a_refusal_in_words_of_ones_own():
    """An error that somebody else made with fewer arguments still answers every question."""
    error = seawall.CircuitOpenError("shop")
    assert (error.name, error.retry_after, error.state) == ("shop", None, "open")
    assert str(seawall.CircuitOpenError()).startswith("circuit '?' is open")


def test_a_group_holds_them():
    """They are ordinary exceptions to an `except*`."""
    caught = []
    try:
        raise ExceptionGroup("several", [seawall.CircuitOpenError("shop", 1.0, "open"), OSError()])
    except* seawall.Rejected as group:
        caught.extend(group.exceptions)
    except* OSError:
        pass
    assert len(caught) == 1
