"""Threads for calls that can't be interrupted: answers in time, whatever hangs."""

import asyncio
import contextvars
import gc
import os
import signal
import threading
import time
import weakref

import pytest
import seawall
import trio
from seawall.policies.timeout import pool as pools
from seawall.policies.timeout.pool import Pool

from tests import needs
from tests.children import child
from tests.threads import until


@pytest.fixture
def pool():
    """A pool of at most four threads."""
    return Pool("tested", max_threads=4)


def test_a_result_in_time(pool):
    """A call that ends in time returns what it returned, or raises what it raised."""
    assert pool.run(lambda: threading.current_thread().name, 5) == "seawall-tested-1"
    with pytest.raises(KeyError) as caught:
        pool.run(lambda: {}[1], 5)
    assert caught.value.__context__ is None
    assert pool.run(lambda: 7, None) == 7
    assert (pool.threads, pool.abandoned, pool.given_up) == (1, 0, 0)


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_is_no_error_is_raised_too(pool, stop):
    """What would end a thread reaches the caller, and the thread goes on."""

    def raises():
        raise stop

    with pytest.raises(stop):
        pool.run(raises, 5)
    assert pool.run(int, 5) == 0
    assert pool.threads == 1


def test_a_call_that_takes_too_long(pool, hung):
    """The caller hears in time; the thread is given up, counted, and used again when it is free."""
    began = time.monotonic()
    with pytest.raises(seawall.CallTimeoutError) as caught:
        pool.run(hung, 0.02)
    assert 0.02 <= time.monotonic() - began < 5
    error = caught.value
    assert (error.policy, error.name, error.limit, error.abandoned) == (
        "timeout",
        "tested",
        0.02,
        True,
    )
    assert "still runs in a thread that was given up" in str(error)
    assert isinstance(error, TimeoutError)
    assert (pool.threads, pool.abandoned, pool.given_up, pool.idle) == (1, 1, 1, 0)
    hung.release.set()
    until(lambda: pool.idle == 1)
    assert (pool.threads, pool.abandoned, pool.given_up) == (1, 0, 1)
    assert pool.run(int, 5) == 0
    assert pool.threads == 1


def test_four_hung_calls_keep_no_healthy_one_waiting(hung):
    """Healthy calls run beside hung ones, at once: there is no queue to time out in, unrun."""
    pool = Pool("tested", max_threads=6)
    for _ in range(4):
        with pytest.raises(seawall.CallTimeoutError):
            pool.run(hung, 0.001)
    began = time.monotonic()
    assert [pool.run(lambda number=number: number, 5) for number in range(50)] == list(range(50))
    assert time.monotonic() - began < 5
    assert (pool.abandoned, pool.threads, pool.given_up) == (4, 5, 4)


def test_at_the_cap_calls_are_refused(pool, hung):
    """Without a thread left a call is refused at once and says why; it is not run later."""
    for _ in range(4):
        with pytest.raises(seawall.CallTimeoutError):
            pool.run(hung, 0.001)
    ran = []
    began = time.monotonic()
    with pytest.raises(seawall.ThreadsExhaustedError) as caught:
        pool.run(lambda: ran.append(1), 5)
    assert time.monotonic() - began < 2
    error = caught.value
    assert (error.policy, error.name, error.threads, error.abandoned) == (
        "timeout",
        "tested",
        4,
        4,
    )
    assert isinstance(error, seawall.Rejected)
    assert error.retry_after is None
    assert "4 of its 4 threads hang" in str(error)
    assert pool.refused == 1
    hung.release.set()
    until(lambda: pool.idle == 4)
    assert pool.run(int, 5) == 0
    assert ran == []


def test_many_callers_at_once(hung):
    """Callers of many threads each have their own answer, hung calls among them or not."""
    pool = Pool("tested", max_threads=40)
    results = []

    def caller(number):
        if number % 4 == 0:
            with pytest.raises(seawall.CallTimeoutError):
                pool.run(hung, 0.005)
        answers = [pool.run(lambda step=step: (number, step), 10) for step in range(20)]
        results.append(answers == [(number, step) for step in range(20)])

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 12
    assert (pool.abandoned, pool.given_up) == (3, 3)
    until(lambda: pool.idle == pool.threads - 3)


def test_the_context_goes_along(pool):
    """A call sees the caller's context variables and deadline, and changes neither."""
    variable = contextvars.ContextVar("variable")
    variable.set("the caller's")

    def work():
        seen = variable.get(), seawall.remaining() is not None
        variable.set("its own")
        return seen

    with seawall.deadline(5):
        assert pool.run(work, 60) == ("the caller's", True)
    assert variable.get() == "the caller's"


def test_the_deadline_around(pool, hung):
    """A deadline that is earlier bounds the call, and the error names it."""
    with seawall.deadline(0.2, name="request"):
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            pool.run(hung, 60)
        assert caught.value.name == "request"
        assert pool.abandoned == 1
        ran = []
        with pytest.raises(seawall.DeadlineExceededError):
            pool.run(lambda: ran.append(1), 60)
        assert ran == []
    with seawall.deadline(0.1), pytest.raises(seawall.DeadlineExceededError):
        pool.run(hung, None)


def test_by_a_tests_clock(pool, hung):
    """Under a test's clock the limit is virtual: an hour is over when the clock says so."""
    with seawall.testing.clock(autojump=True) as clock:
        with pytest.raises(seawall.CallTimeoutError) as caught:
            pool.run(hung, 3600)
        assert clock.elapsed == 3600
        assert caught.value.elapsed == 3600.0
        assert pool.run(int, 3600) == 0
        assert clock._calls == 0


def test_idle_threads_end(pool, monkeypatch):
    """Threads without a call end after a while; the next call starts one anew."""
    monkeypatch.setattr(pools, "IDLE", 0.01)
    pool.run(int, 5)
    until(lambda: pool.threads == 0)
    assert pool.idle == 0
    assert pool.run(int, 5) == 0


def test_ending_and_being_called_at_once(pool, monkeypatch):
    """Calls that meet threads which are just about to end are made nevertheless."""
    monkeypatch.setattr(pools, "IDLE", 0.0005)
    for number in range(300):
        # Real time: threads end by themselves after as long.
        time.sleep(0.0005 if number % 3 else 0)
        assert pool.run(lambda number=number: number, 10) == number


def test_nothing_is_kept(pool):
    """Results, errors and arguments are let go of as soon as the caller does."""

    class Thing:
        pass

    thing = Thing()
    known = weakref.ref(thing)
    result = pool.run(lambda thing=thing: [thing], 5)
    del thing
    until(lambda: pool.idle == 1)
    assert known() is result[0]
    result.clear()
    assert known() is None

    def fails():
        thing = Thing()
        error = KeyError(thing)
        known.append(weakref.ref(thing))
        raise error

    known = []
    gc.disable()
    try:
        with pytest.raises(KeyError):
            pool.run(fails, 5)
        until(lambda: pool.idle == 1)
    finally:
        gc.enable()
    gc.collect()
    assert known[0]() is None


@needs.timers
def test_ctrl_c_interrupts_the_waiting(pool, hung):
    """A signal's error reaches the caller while it waits; the call is given up."""

    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            pool.run(hung, 30)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert pool.abandoned == 1


@needs.fork
def test_a_forked_child_has_threads_of_its_own(pool, hung):
    """A child starts without its parent's threads, hung ones among them, and makes its own."""
    with pytest.raises(seawall.CallTimeoutError):
        pool.run(hung, 0.001)
    pool.run(int, 5)
    pid = os.fork()
    if pid == 0:
        fresh = (pool.threads, pool.abandoned, pool.idle) == (0, 0, 0)
        os._exit(0 if fresh and pool.run(int, 5) == 0 and pool.threads == 1 else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert (pool.threads, pool.abandoned) == (2, 1)


def test_hung_calls_hold_up_no_exit():
    """The interpreter ends while calls hang that were given up, and while threads idle."""
    code = """
import threading, seawall
from seawall.policies.timeout import Pool
pool = Pool("exit")
pool.run(int, 5)
for _ in range(3):
    try:
        pool.run(threading.Event().wait, 0.01)
    except seawall.CallTimeoutError:
        pass
"""
    began = time.monotonic()
    assert child(code, "-W", "error", timeout=30) == (0, "", "")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("wrong", [0, -1, 100_001, 2.0, True, "3", None])
def test_wrong_numbers_of_threads(wrong):
    """A pool that could never run anything, or no number at all, is a `ConfigError`."""
    with pytest.raises(seawall.ConfigError, match=r"^pool 'tested': max_threads=") as refused:
        Pool("tested", max_threads=wrong)
    [problem] = refused.value.problems
    assert problem.rule == "must be a whole number from 1 to 100000"


@pytest.mark.parametrize("wrong", ["", None, 3])
def test_everything_that_is_wrong_with_a_pool(wrong):
    """The name is checked as well, and everything is named at once."""
    with pytest.raises(seawall.ConfigError) as refused:
        Pool(wrong, max_threads=0)
    assert [problem.field for problem in refused.value.problems] == ["name", "max_threads"]


def test_it_warns_before_it_blocks_an_event_loop():
    """Whoever waits for a thread in a loop's own thread blocks the loop, and is told so."""
    timeout = seawall.Timeout(5, name="reports", pool="threads")
    build = timeout(lambda: threading.current_thread().name)

    async def main():
        with pytest.warns(seawall.BlockingWaitWarning, match="timeout 'reports' waits in a thread"):
            assert build() != threading.current_thread().name
        assert await asyncio.to_thread(build) != threading.current_thread().name

    asyncio.run(main())
    trio.run(main_of_trio, build)


async def main_of_trio(build):
    """The same under trio."""
    with pytest.warns(seawall.BlockingWaitWarning, match="runs trio"):
        build()
