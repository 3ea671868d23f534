"""Errors of ours are new each time: purgatory raises one object, whose traceback grows."""

import asyncio
import threading
import traceback

import pytest
import seawall

#: Lets hung calls go on.
RELEASE = threading.Event()


@pytest.fixture(autouse=True)
def own():
    """Names and time of a test are its own, and nothing hangs afterwards."""
    RELEASE.clear()
    with seawall.testing.isolated(), seawall.testing.clock(autojump=True):
        yield
    RELEASE.set()


def down():
    """A service that is."""
    raise ConnectionError


async def forever():
    """Waits until it is cancelled."""
    await asyncio.Event().wait()


def timed_out():
    """A call that is cancelled in time."""
    timeout = seawall.Timeout(1)
    return lambda: asyncio.run(timeout.call(forever))


def out_of_threads():
    """A call for which there is no thread."""
    timeout = seawall.Timeout(1, pool="threads", max_threads=1)
    with pytest.raises(seawall.CallTimeoutError):
        timeout.call(RELEASE.wait, 30)
    return lambda: timeout.call(int)


def exhausted():
    """A call that was given up."""
    retry = seawall.Retry(reraise=False, backoff=0)
    return lambda: retry.call(down)


def nested():
    """A retry that is refused inside of another."""
    inner = seawall.Retry(nested="refuse")(lambda: 0)
    outer = seawall.Retry(backoff=0)
    return lambda: outer.call(lambda: inner())


def late():
    """A call that is not begun because its deadline has passed."""
    retry = seawall.Retry()

    def call():
        with seawall.deadline(0):
            retry.call(int)

    return call


def unknown_budget():
    """A call whose retry names no budget that there is."""
    retry = seawall.Retry(budget="nobody")
    return lambda: retry.call(int)


def open_inside():
    """A call that the breaker inside of the retry rejects."""
    guard = seawall.standard("shop", breaker={"failure_threshold": 1})
    with pytest.raises(seawall.CircuitOpenError):
        guard.call(down)
    return lambda: guard.call(down)


CALLS = {
    seawall.CallTimeoutError: timed_out,
    seawall.ThreadsExhaustedError: out_of_threads,
    seawall.RetriesExhaustedError: exhausted,
    seawall.NestedRetryError: nested,
    seawall.DeadlineExceededError: late,
    seawall.ConfigError: unknown_budget,
    seawall.CircuitOpenError: open_inside,
}


@pytest.mark.parametrize("error", CALLS, ids=lambda error: error.__name__)
def test_each_call_has_its_own(error):
    """Each call that fails alike has another object, with as many frames and notes as the first."""
    call = CALLS[error]()
    seen = []
    for _ in range(20):
        with pytest.raises(error) as raised:
            call()
        seen.append(raised.value)
    assert len({id(value) for value in seen}) == 20
    assert len({len(traceback.extract_tb(value.__traceback__)) for value in seen}) == 1
    assert {len(getattr(value, "__notes__", [])) for value in seen} <= {0, 1}


def test_one_object_of_the_users_gets_no_frames_of_ours():
    """One error that a service raises all the time grows by its own frames only."""
    error = ConnectionError("always the same")

    def raises():
        raise error

    with pytest.raises(ConnectionError):
        seawall.standard("shop", retry={"backoff": 0}).call(raises)
    names = {frame.name for frame in traceback.extract_tb(error.__traceback__)}
    assert names == {"raises", "test_one_object_of_the_users_gets_no_frames_of_ours"}
    assert error.__context__ is None
    assert len(error.__notes__) == 1
