"""What the errors of late work say, and that they travel."""

import copy
import pickle

import pytest
import seawall

ERRORS = [
    (
        seawall.CallTimeoutError("shop", 2.0, 2.0041, False),
        "timeout 'shop' of 2 s passed (2 s have gone by); the call was cancelled, and may have had "
        "its effect: call again only if that does no harm, or allow it more time",
    ),
    (
        seawall.CallTimeoutError("shop", 2000.0, 2001.0, True),
        "timeout 'shop' of 2000 s passed (2001 s have gone by); the call still runs in a thread "
        "that was given up, and may have had its effect: call again only if that does no harm, or "
        "allow it more time",
    ),
    (
        seawall.DeadlineExceededError("request", 5.0, 5.5, "handle() at shop.py:7"),
        "deadline 'request' of 5 s passed (5.5 s have gone by); it was set by handle() at "
        "shop.py:7; do not try again within it: its caller has given up, or needs to allow more "
        "time",
    ),
    (
        seawall.DeadlineExceededError(None, 5.0, 5.5, None),
        "deadline of 5 s passed (5.5 s have gone by); do not try again within it: its caller has "
        "given up, or needs to allow more time",
    ),
    (
        seawall.ThreadsExhaustedError("shop", None, 256, 250),
        "timeout 'shop' refused the call: 250 of its 256 threads hang in calls that were given up; "
        "find out what those wait for, give the client a timeout of its own, or raise max_threads",
    ),
    (
        seawall.ThreadsExhaustedError("shop", None, 8, 0),
        "timeout 'shop' refused the call: its 8 threads are all at work, and none of them hangs; "
        "raise max_threads, or let fewer call at once",
    ),
]


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_messages(error, message):
    """What happened, to which policy, and what to do."""
    assert str(error) == message


@pytest.mark.parametrize("error", [error for error, _ in ERRORS])
@pytest.mark.parametrize(
    "again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy]
)
def test_errors_travel(error, again):
    """Pickled or copied, an error knows what it knew, although it is an OSError of Python's."""
    error.add_note("on the way")
    other = again(error)
    assert (type(other), other.args, str(other)) == (type(error), error.args, str(error))
    assert other.__notes__ == ["on the way"]
    del error.__notes__


def test_late_errors_are_timeouts():
    """Who handles a TimeoutError handles these, and no errno is taken from their arguments."""
    for error, _ in ERRORS[:4]:
        assert isinstance(error, TimeoutError)
        assert isinstance(error, seawall.SeawallError)
        assert not isinstance(error, seawall.Rejected)
        assert (error.errno, error.filename) == (None, None)


@pytest.mark.parametrize("late", [seawall.CallTimeoutError, seawall.DeadlineExceededError])
def test_errors_in_words_of_ones_own(late):
    """Made by somebody else with fewer arguments, they still answer every question."""
    error = late()
    assert (error.name, error.limit, error.elapsed) == (None, None, None)
    assert str(error).startswith(error.policy)
