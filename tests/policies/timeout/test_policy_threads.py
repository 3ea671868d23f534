"""`pool="threads"`: the caller goes on in time, and the thread is given up."""

import contextvars
import os
import signal
import threading
import time
import traceback

import pytest
import seawall

from tests import needs
from tests.threads import until


@pytest.fixture
def pooled():
    """A timeout of a minute with threads."""
    return seawall.Timeout(60, name="pooled", pool="threads")


def test_in_time(pooled, counts):
    """Another thread makes the call, with all its arguments, and its result comes back."""

    @pooled
    def work(one, /, two, *rest, key, **more):
        return threading.current_thread().name, one, two, rest, key, more

    name, *given = work(1, 2, 3, key=4, other=5)
    assert name.startswith("seawall-pooled-")
    assert given == [1, 2, (3,), 4, {"other": 5}]
    assert counts(pooled) == {"in_time": 1}
    seen = pooled.snapshot()
    assert (seen.threads, seen.abandoned) == (1, 0)


def test_given_up(hung, counts, told):
    """The caller hears in time; the thread is counted until the call ends after all."""
    timeout = seawall.Timeout(0.02, name="reports", pool="threads")
    began = time.monotonic()
    with pytest.raises(seawall.CallTimeoutError) as caught:
        timeout(hung)()
    assert 0.02 <= time.monotonic() - began < 5
    error = caught.value
    assert (error.name, error.limit, error.abandoned) == ("reports", 0.02, True)
    assert error.elapsed >= 0.02
    assert error.__cause__ is None
    assert error.__context__ is None
    assert counts(timeout) == {"timed_out": 1}
    assert (timeout.snapshot().threads, timeout.snapshot().abandoned) == (1, 1)
    assert told.kinds == ["timeout.timed_out"]
    hung.release.set()
    until(lambda: timeout.snapshot().abandoned == 0)


def test_refused(hung, counts):
    """Without a thread left a call is refused at once, and not made later."""
    timeout = seawall.Timeout(0.01, name="reports", pool="threads", max_threads=2)
    for _ in range(2):
        with pytest.raises(seawall.CallTimeoutError):
            timeout.call(hung)
    made = []
    with pytest.raises(seawall.ThreadsExhaustedError) as caught:
        timeout.call(lambda: made.append(1))
    assert (caught.value.name, caught.value.threads, caught.value.abandoned) == ("reports", 2, 2)
    timeout.reconfigure(max_threads=3, seconds=10)
    assert timeout.call(int) == 0
    assert made == []
    assert counts(timeout) == {"timed_out": 2, "other": 1, "in_time": 1}


def test_context_variables(pooled):
    """The call sees its caller's, and what it sets is its own."""
    variable = contextvars.ContextVar("variable", default=0)

    def work():
        before = variable.get()
        variable.set(2)
        return before

    variable.set(1)
    assert pooled.call(work) == 1
    assert variable.get() == 1


def test_by_the_tests_clock(clock, counts):
    """An hour passes in no time, for the call and for who waits."""
    timeout = seawall.Timeout(3600, pool="threads")
    with pytest.raises(seawall.CallTimeoutError) as caught:
        timeout.call(clock.sleep, 7200)
    assert caught.value.elapsed == 3600.0
    assert timeout.call(clock.sleep, 1800) is None
    assert clock.elapsed == 5400.0
    assert counts(timeout) == {"timed_out": 1, "in_time": 1}


def test_errors(pooled, counts):
    """They are raised with the frames of the thread, and without those of the pool as context."""

    def fails():
        raise KeyError("inside")

    with pytest.raises(KeyError) as caught:
        pooled.call(fails)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fails"
    assert caught.value.__context__ is None
    assert counts(pooled) == {"other": 1}


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_is_no_error(pooled, stop):
    """What would end a thread reaches the caller, and the thread goes on."""

    def raises():
        raise stop

    with pytest.raises(stop):
        pooled.call(raises)
    assert pooled.call(int) == 0
    assert pooled.snapshot().threads == 1


def test_an_inner_timeouts_error_is_not_its_own(pooled, hung, counts, told):
    """A call that raises another's timeout was not given up by this one."""
    inner = seawall.Timeout(0.01, name="inner", pool="threads")
    with pytest.raises(seawall.CallTimeoutError) as caught:
        pooled.call(lambda: inner.call(hung))
    assert caught.value.name == "inner"
    assert counts(pooled) == {"other": 1}
    assert counts(inner) == {"timed_out": 1}
    assert [(event.kind, event.name) for event in told] == [("timeout.timed_out", "inner")]


@pytest.mark.parametrize("passed", [True, False])
def test_a_deadline_around(hung, counts, passed):
    """If it is earlier it is the deadline's error; one that has passed lets nothing be made."""
    timeout = seawall.Timeout(60, pool="threads")
    made = []
    with seawall.deadline(0 if passed else 0.01, name="request"):
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            timeout.call(lambda: made.append(1) if passed else hung())
    assert caught.value.name == "request"
    assert made == []
    assert counts(timeout) == {"other": 1}


def test_a_timeout_around_in_one_plan(hung):
    """An outer timeout that is earlier is named, and the thread is given up as well."""
    outer = seawall.Timeout(0.01, name="outer")
    inner = seawall.Timeout(60, name="inner", pool="threads")
    with pytest.warns(seawall.CompositionWarning):
        work = outer(inner(hung))
    with pytest.raises(seawall.CallTimeoutError) as caught:
        work()
    assert caught.value.name == "outer"
    assert (outer.snapshot().counts["timed_out"], inner.snapshot().abandoned) == (1, 1)


@pytest.mark.filterwarnings("ignore::seawall.BlockingWaitWarning")
def test_awaitables_that_come_of_threads(loop_run, clock, forever, counts):
    """A function in a thread may give back an awaitable: the rest of the time is that one's."""
    timeout = seawall.Timeout(3, pool="threads")

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await timeout(lambda: forever())()
        return seawall.remaining()

    assert loop_run(main) is None
    assert counts(timeout) == {"timed_out": 1}


def test_retried_outside(clock, counts):
    """With a retry outside each attempt has a thread, and a limit of its own."""
    timeout = seawall.Timeout(10, pool="threads")
    retry = seawall.Retry(attempts=3, backoff=1, on=seawall.CallTimeoutError)
    seconds = [20, 20, 5]

    @retry
    @timeout
    def work():
        clock.sleep(seconds.pop(0))
        return "done"

    assert work() == "done"
    assert counts(timeout) == {"timed_out": 2, "in_time": 1}
    assert clock.elapsed == 27.0


@needs.fork
def test_after_a_fork(pooled, hung):
    """A forked child has threads of its own."""
    pooled.call(int)
    pid = os.fork()
    if pid == 0:
        try:
            seen = pooled.snapshot().threads, pooled.call(lambda: 7), pooled.snapshot().threads
        finally:
            os._exit(0 if seen == (0, 7, 1) else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert pooled.call(int) == 0


@needs.signals
def test_ctrl_c(pooled, hung, counts):
    """It ends the waiting at once, and the thread is given up."""
    timer = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        pooled.call(hung)
    assert time.monotonic() - began < 10
    timer.join()
    assert counts(pooled) == {"other": 1}
    assert pooled.snapshot().abandoned == 1
