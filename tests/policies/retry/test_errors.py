"""What the caller gets of a call that is given up."""

import dataclasses
import sys
import traceback

import pytest
import seawall


def notes(error):
    """Its notes."""
    return getattr(error, "__notes__", [])


def test_a_note_says_why(kind, script):
    """How many attempts, how long, which retry, and what was reached."""
    retry = seawall.Retry("payments", backoff=1.5)
    with pytest.raises(ConnectionError) as raised:
        kind.run(retry(kind.function(script(ConnectionError))))
    assert notes(raised.value) == [
        "seawall: retry 'payments' gave up after 3 attempts in 3.000 s: no attempt is left"
    ]


def test_the_note_of_a_limit(kind, script):
    """Each reason in its own words."""
    retry = seawall.Retry("payments", backoff=5, max_duration=3)
    with pytest.raises(ConnectionError) as raised:
        kind.run(retry(kind.function(script(ConnectionError))))
    assert notes(raised.value) == [
        "seawall: retry 'payments' gave up after 1 attempt in 0.000 s: "
        "the next attempt could not start within max_duration"
    ]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_no_note_on_what_is_not_tried_again(script, error):
    """It is the function's own, untouched."""
    with pytest.raises(error) as raised:
        seawall.Retry()(script(error))()
    assert notes(raised.value) == []


def test_no_note_of_one_attempt(kind, script):
    """`attempts=1` says nothing that the caller does not know."""
    with pytest.raises(ConnectionError) as raised:
        kind.run(seawall.Retry(attempts=1)(kind.function(script(ConnectionError))))
    assert notes(raised.value) == []


def test_notes_do_not_pile_up(kind, script):
    """One object that is raised again and again has the note of the last call, and others' own."""
    error = ConnectionError("one object")
    error.add_note("mine")
    for name, attempts, found in (("a", 2, 2), ("a", 3, 2), ("b", 2, 3), ("a", 4, 3)):
        retry = seawall.Retry(name, attempts=attempts, backoff=1, replace=True)
        with pytest.raises(ConnectionError):
            kind.run(retry(kind.function(script(error))))
        assert len(error.__notes__) == found
        assert error.__notes__[0] == "mine"
        told = f"seawall: retry {name!r} gave up after {attempts} attempts in "
        assert error.__notes__[-1].startswith(told)


def test_an_error_that_takes_no_note(kind, script, unraisable):
    """A frozen dataclass, say, reaches its caller without one, and nothing is reported."""

    @dataclasses.dataclass(frozen=True)
    class FrozenError(ConnectionError):
        code: int

    body = script(FrozenError(7))
    with pytest.raises(FrozenError):
        kind.run(seawall.Retry(backoff=1)(kind.function(body)))
    assert (body.calls, unraisable) == (3, [])


def test_exhausted_in_place_of_the_error(kind, script):
    """`reraise=False` raises `RetriesExhaustedError`, because of the last error."""
    body = script(ConnectionError)
    retry = seawall.Retry("payments", backoff=2, reraise=False)
    with pytest.raises(seawall.RetriesExhaustedError) as raised:
        kind.run(retry(kind.function(body)))
    error = raised.value
    assert error.__cause__ is body.raised[-1]
    assert (error.name, error.attempts, error.why) == ("payments", 3, "attempts")
    assert error.elapsed == pytest.approx(4, abs=0.01)
    assert str(error) == "retry 'payments' gave up after 3 attempts in 4.000 s (attempts)"
    assert notes(error.__cause__) == []


def test_exhausted_is_not_for_what_is_not_tried_again(kind, script):
    """An error that no further attempt would mend stays what it is."""
    with pytest.raises(ValueError, match="down"):
        kind.run(seawall.Retry(reraise=False)(kind.function(script(ValueError))))


def test_exhausted_in_an_outcome(kind, script):
    """`try_call` has it as its error."""
    retry = seawall.Retry(backoff=1, reraise=False)
    outcome = kind.run(retry.try_call, kind.function(script(ConnectionError)))
    assert isinstance(outcome.error, seawall.RetriesExhaustedError)
    assert outcome.attempts == 3


def test_no_frame_is_added(kind, script):
    """The traceback of the last attempt, and of no other."""
    body = script(ConnectionError)
    work = seawall.Retry(backoff=1)(kind.function(body))
    with pytest.raises(ConnectionError) as raised:
        kind.run(work)
    names = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert names[-2:] == ["function", "__call__"]
    assert names.count("function") == names.count("__call__") == 1
    assert not any(
        "seawall" in frame.filename.split("/")[-2:]
        for frame in traceback.extract_tb(raised.value.__traceback__)
    )


def test_attempts_are_no_context_of_one_another(kind, script):
    """The second failed not while the first was being handled."""
    body = script(ConnectionError)
    with pytest.raises(ConnectionError):
        kind.run(seawall.Retry(backoff=1)(kind.function(body)))
    assert [error.__context__ for error in body.raised] == [None] * 3


def test_what_is_being_handled_is_the_context(script):
    """As it would be without a retry: of each attempt the caller's own."""
    body = script(ConnectionError)
    handled = KeyError("handled")
    work = seawall.Retry(backoff=1)(body)
    try:
        raise handled
    except KeyError:
        with pytest.raises(ConnectionError):
            work()
    assert [error.__context__ for error in body.raised] == [handled] * 3


def test_nothing_is_being_handled_between_attempts(kind, script):
    """The function sees no exception of the attempt before."""
    seen = []

    def body():
        seen.append(sys.exception())
        return end()

    end = script(ConnectionError, ConnectionError, 1)
    kind.run(seawall.Retry(backoff=1)(kind.function(body)))
    assert seen == [None] * 3
