"""The timeout as a policy: what it stops, what it gives up, and what it only tells of."""

import asyncio
import contextvars
import threading

import pytest
import seawall
import trio

from tests.threads import until

RUNS = {"asyncio": (asyncio, lambda main: asyncio.run(main())), "trio": (trio, trio.run)}


@pytest.fixture
def clock():
    """Time, which moves when everything waits."""
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


@pytest.fixture(params=RUNS)
def loop(request):
    """A loop's module, and how it runs a main function."""
    return RUNS[request.param]


def test_a_task_is_cancelled_in_time(clock, loop):
    """Its caller gets an error that says which timeout, and how long; the task is as it was."""
    module, run = loop
    timeout = seawall.timeout(2, name="payments")
    cleaned = []

    @timeout
    async def hangs():
        try:
            await module.sleep(3600)
        finally:
            cleaned.append(clock.elapsed)

    async def main():
        with pytest.raises(seawall.CallTimeoutError) as raised:
            await hangs()
        await clock.asleep(1)
        return raised.value

    error = run(main)
    assert (error.name, error.limit, error.elapsed) == ("payments", 2.0, 2.0)
    assert isinstance(error, TimeoutError)
    assert (cleaned, clock.elapsed) == ([2.0], 3.0)
    assert timeout.snapshot().counts["timed_out"] == 1
    assert timeout.snapshot().in_flight == 0


def test_what_is_done_in_time_is_left_alone(clock, loop):
    """Results and errors pass, and nothing of the limit stays behind."""
    _, run = loop
    timeout = seawall.timeout(2)

    @timeout
    async def does(what):
        await clock.asleep(1)
        if what is None:
            raise KeyError(seawall.remaining())
        return what, seawall.remaining()

    async def main():
        first = await does(5)
        with pytest.raises(KeyError, match=r"1\.0"):
            await does(None)
        await clock.asleep(10)
        return first, seawall.remaining()

    assert run(main) == ((5, 1.0), None)
    counts = timeout.snapshot().counts
    assert (counts["in_time"], counts["other"], counts["timed_out"]) == (1, 1, 0)


def test_a_swallowed_cancellation_is_still_a_timeout(clock, loop):
    """What a body returns after its time was over is not taken for an answer."""
    module, run = loop
    gone = asyncio.CancelledError if module is asyncio else trio.Cancelled

    @seawall.timeout(1)
    async def stubborn():
        try:
            await module.sleep(10)
        except gone:
            if module is trio:
                raise
            return "late"

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await stubborn()

    run(main)


def test_a_cancellation_from_outside_stays_one(forever):
    """Whoever else cancels the task is obeyed, and the timeout says nothing."""
    timeout = seawall.timeout(30)

    @timeout
    async def hangs():
        await forever()

    async def main():
        task = asyncio.ensure_future(hangs())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError) as raised:
            await asyncio.wait_for(hangs(), 0.01)
        assert not isinstance(raised.value, seawall.CallTimeoutError)

    asyncio.run(main())
    assert timeout.snapshot().counts["other"] == 2
    assert timeout.snapshot().in_flight == 0


def test_the_one_that_was_reached_is_named(clock, loop):
    """Of nested limits, the tighter one ends the call, wherever it stands."""
    module, run = loop

    def named(outer, inner):
        @seawall.timeout(outer, name=f"outer {outer}")
        @seawall.timeout(inner, name=f"inner {inner}")
        async def hangs():
            await module.sleep(3600)

        async def main():
            with pytest.raises(seawall.CallTimeoutError) as raised:
                await hangs()
            return raised.value.name

        return run(main)

    assert named(3, 2) == "inner 2"
    with pytest.warns(seawall.CompositionWarning, match="never reached"):
        assert named(2.5, 4) == "outer 2.5"


def test_the_breaker_inside_counts_a_failure(clock, loop):
    """A call that is cancelled because its time was over fails, and gives its place back."""
    module, run = loop
    breaker = seawall.CircuitBreaker(failure_threshold=2)

    @seawall.timeout(1)
    @breaker
    async def hangs():
        await module.sleep(3600)

    async def main():
        for _ in range(2):
            with pytest.raises(seawall.CallTimeoutError):
                await hangs()
        with pytest.raises(seawall.CircuitOpenError):
            await hangs()

    run(main)
    assert breaker.snapshot().counts["failure"] == 2
    assert breaker.snapshot().in_flight == 0


def test_a_retry_inside_does_not_sleep_past_it(clock, loop):
    """It gives up at once where the next attempt could only start too late."""
    module, run = loop
    begun = []

    @seawall.timeout(5)
    @seawall.retry(attempts=9, backoff=3, on=ConnectionError)
    async def fails():
        begun.append(clock.elapsed)
        await module.sleep(0)
        raise ConnectionError

    async def main():
        with pytest.raises(ConnectionError) as raised:
            await fails()
        return raised.value.__notes__

    (note,) = run(main)
    assert "before the deadline" in note
    assert (begun, clock.elapsed) == ([0.0, 3.0], 3.0)


def test_each_attempt_has_its_own(clock, loop):
    """Inside of a retry the limit is an attempt's."""
    module, run = loop

    @seawall.retry(attempts=3, backoff=1, on=seawall.CallTimeoutError)
    @seawall.timeout(2)
    async def hangs():
        await module.sleep(3600)

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await hangs()

    run(main)
    assert clock.elapsed == 2 + 1 + 2 + 1 + 2


def test_an_adopted_awaitable_is_bounded(clock, forever):
    """Also what a plain function returns is cancelled in time, by the task that awaits it."""
    bounded = seawall.timeout(2)(lambda: forever())

    async def main():
        task = asyncio.ensure_future(bounded())
        assert seawall.remaining() is None
        with pytest.raises(seawall.CallTimeoutError):
            await task

    asyncio.run(main())
    assert clock.elapsed == 2


def test_a_plain_function_is_told_how_long(clock):
    """It can't be stopped: its limit holds as a deadline, and a late result is returned."""
    told = []
    timeout = seawall.timeout(2, on_event=told.append)

    @timeout
    def slow(seconds):
        left = seawall.remaining()
        clock.advance(seconds)
        return left

    assert slow(1) == 2.0
    assert told == []
    assert slow(3) == 2.0
    assert [(event.kind, event.elapsed, event.limit) for event in told] == [
        ("timeout.late", 3.0, 2.0)
    ]
    assert seawall.remaining() is None
    assert timeout.snapshot().counts["late"] == 1


def test_a_check_inside_is_the_timeouts(clock):
    """A deadline that the timeout itself has set is put down to it."""

    @seawall.timeout(2, name="reports")
    def slow():
        clock.advance(3)
        seawall.deadline.check()

    with pytest.raises(seawall.CallTimeoutError) as raised:
        slow()
    assert raised.value.name == "reports"
    assert isinstance(raised.value.__cause__, seawall.DeadlineExceededError)


def test_threads_are_given_up():
    """With threads of its own the caller goes on in time, in the caller's context."""
    variable = contextvars.ContextVar("variable", default="unset")
    free = threading.Event()
    timeout = seawall.timeout(0.05, name="reports", pool="threads", max_threads=1)

    @timeout
    def work(hang, *, answer):
        if hang:
            free.wait(10)
        return answer, variable.get(), threading.current_thread() is threading.main_thread()

    variable.set("set")
    assert work(False, answer=1) == (1, "set", False)
    with pytest.raises(seawall.CallTimeoutError) as raised:
        work(True, answer=2)
    assert raised.value.abandoned
    with pytest.raises(seawall.ThreadsExhaustedError):
        work(False, answer=3)
    snapshot = timeout.snapshot()
    assert (snapshot.threads, snapshot.abandoned, snapshot.in_flight) == (1, 1, 0)
    free.set()
    until(lambda: timeout.snapshot().abandoned == 0)
    assert work(False, answer=4) == (4, "set", False)


def test_what_it_can_not_serve_is_refused():
    """When decorated, or entered, with what to do instead."""
    timeout = seawall.timeout(1)
    with pytest.raises(seawall.ConfigError, match="generator"):

        @timeout
        def items():
            yield 1

    with pytest.raises(seawall.ConfigError, match="generator"):

        @timeout
        async def others():
            yield 1

    with pytest.raises(TypeError, match=r"seawall\.deadline"), timeout:
        raise AssertionError("it ran")
    pooled = seawall.timeout(1, pool="threads")
    with pytest.raises(seawall.ConfigError, match="needs no thread"):

        @pooled
        async def awaited():
            """Cancelled in time."""

    with pytest.raises(seawall.ConfigError, match="inside of a timeout with threads"):
        seawall.Pipeline("several", pooled, seawall.Retry())


def test_everything_wrong_is_said():
    """Settings are checked all at once."""
    with pytest.raises(seawall.ConfigError) as raised:
        seawall.Timeout(-1, pool="thread", max_threads=0, on_event=5, limit=3)
    fields = {problem.field for problem in raised.value.problems}
    assert fields == {"seconds", "pool", "max_threads", "on_event", "limit"}


def test_the_limit_is_changed_in_place(clock, loop):
    """For calls that begin afterwards; a declaration stands for what it was."""
    module, run = loop
    timeout = seawall.Timeout(5, name="payments")

    @timeout
    async def hangs():
        await module.sleep(3600)

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await hangs()

    timeout.reconfigure(seconds=1)
    run(main)
    assert clock.elapsed == 1
    assert timeout.settings["seconds"] == 1
    assert seawall.Timeout(5, name="payments") is timeout
