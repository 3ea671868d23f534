"""`@seawall.timeout` on coroutine functions: ends in time, and nobody else's cancellation."""

import asyncio
import contextlib
import time

import anyio
import anyio.lowlevel
import pytest
import seawall


def test_it_ends_in_time(run, clock, forever, cancellations, cancelling, counts):
    """A call that takes too long is cancelled, and its caller is told by an error of the policy."""
    timeout = seawall.Timeout(30, name="payments")

    @timeout
    async def charge():
        await forever()

    async def main():
        with pytest.raises(seawall.CallTimeoutError) as caught:
            await charge()
        assert (seawall.remaining(), cancelling()) == (None, 0)
        await clock.asleep(1)
        return caught.value

    error = run(main)
    assert (error.policy, error.name, error.limit) == ("timeout", "payments", 30.0)
    assert error.abandoned is False
    assert 30 <= error.elapsed < 30.1
    assert isinstance(error, TimeoutError)
    assert isinstance(error.__cause__, cancellations)
    assert 31 <= clock.elapsed < 31.1
    assert counts(timeout) == {"timed_out": 1}


def test_on_the_machines_clock(run, forever):
    """Without a test's clock it goes by the machine's: not early, and soon after."""

    async def main():
        began = time.monotonic()
        with pytest.raises(seawall.CallTimeoutError):
            await seawall.Timeout(0.02).call(forever)
        return time.monotonic() - began

    assert 0.02 <= run(main) < 1


def test_a_call_in_time_is_let_be(run, clock, counts):
    """It has its result, and nothing rings afterwards."""
    timeout = seawall.Timeout(3)

    @timeout
    async def work(value):
        assert 2.9 < seawall.remaining() <= 3
        await clock.asleep(2)
        assert 0.9 < seawall.remaining() <= 1
        return value

    async def main():
        result = await work("done")
        assert seawall.remaining() is None
        await clock.asleep(5)
        return result

    assert run(main) == "done"
    assert counts(timeout) == {"in_time": 1}


def test_one_without_a_wait_is_let_be(run, counts):
    """A call that never waits has its result."""
    timeout = seawall.Timeout(3)

    async def work():
        return "done"

    async def main():
        return await timeout(work)()

    assert run(main) == "done"
    assert counts(timeout) == {"in_time": 1}


@pytest.mark.parametrize("waits", [True, False])
def test_late_without_being_cancelled(run, clock, counts, cancelling, waits):
    """A body that blocks past its time is late, whether it ever waited or not, on every host."""
    timeout = seawall.Timeout(3)

    async def work():
        if waits:
            await anyio.lowlevel.checkpoint()
        clock.advance(4)

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await timeout(work)()
        await anyio.lowlevel.checkpoint()
        return cancelling()

    assert run(main) == 0
    assert counts(timeout) == {"timed_out": 1}


def test_a_swallowed_cancellation_still_times_out(run, clock, forever, cancellations, cancelling):
    """A body that catches the cancellation and returns has not kept to its time."""

    @seawall.timeout(3)
    async def work():
        with contextlib.suppress(*cancellations):
            await forever()
        return "stubborn"

    async def main():
        with pytest.raises(seawall.CallTimeoutError) as caught:
            await work()
        assert caught.value.__cause__ is None
        return cancelling()

    assert run(main) == 0


def test_an_error_on_the_way_out(run, clock, forever, cancellations, cancelling, counts):
    """What the cancelled body raises instead is the cause of the timeout's error."""
    timeout = seawall.Timeout(3)

    @timeout
    async def work():
        try:
            await forever()
        finally:
            raise KeyError("cleanup")

    async def main():
        with pytest.raises(seawall.CallTimeoutError) as caught:
            await work()
        assert cancelling() == 0
        return caught.value.__cause__

    cause = run(main)
    assert isinstance(cause, KeyError)
    assert isinstance(cause.__context__, cancellations)
    assert counts(timeout) == {"timed_out": 1}


def test_an_error_before_its_time(run, clock, counts):
    """It passes untouched."""
    timeout = seawall.Timeout(3)

    @timeout
    async def work():
        await clock.asleep(1)
        raise KeyError(1)

    async def main():
        with pytest.raises(KeyError) as caught:
            await work()
        return caught.value.__context__, caught.value.__cause__

    assert run(main) == (None, None)
    assert counts(timeout) == {"other": 1}


def test_a_cancellation_from_outside(run, clock, forever, cancellations, counts):
    """It stays one, also if the time is over before the body has come to its end."""
    timeout = seawall.Timeout(3)

    async def work(cleanup):
        try:
            await forever()
        finally:
            with anyio.CancelScope(shield=True):
                await clock.asleep(cleanup)

    async def main():
        ended = []
        for cleanup in (0, 60):
            with anyio.CancelScope() as scope:
                try:
                    scope.cancel()
                    await timeout(work)(cleanup)
                except cancellations as error:
                    ended.append(type(error))
                    raise
            assert scope.cancelled_caught
        return len(ended)

    assert run(main) == 2
    assert counts(timeout) == {"other": 2}


def test_a_cancellation_while_it_cleans_up(loop_run, clock, forever, cancelling):
    """Asked for after the time was over, it stays one as well."""

    @seawall.timeout(3)
    async def work():
        try:
            await forever()
        finally:
            await clock.asleep(5)

    async def main():
        task = asyncio.create_task(work())
        await clock.asleep(4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled(), task.cancelling()

    assert loop_run(main) == (True, 1)


def test_many_at_once(run, clock, forever, counts):
    """Many calls end in the order of their limits, each by its own."""
    timeouts = [seawall.Timeout(1 + number * 7 % 20) for number in range(20)]

    async def main():
        ended = []

        async def one(policy):
            with pytest.raises(seawall.CallTimeoutError) as caught:
                await policy.call(forever)
            ended.append(caught.value.limit)

        async with anyio.create_task_group() as group:
            for timeout in timeouts:
                group.start_soon(one, timeout)
        return ended

    assert run(main) == [float(number) for number in range(1, 21)]
    assert all(counts(timeout) == {"timed_out": 1} for timeout in timeouts)


def test_outcomes(run, clock, forever):
    """`try_call` gives the error back."""
    timeout = seawall.Timeout(3, name="payments")

    async def main():
        return await timeout.try_call(forever)

    outcome = run(main)
    assert isinstance(outcome.error, seawall.CallTimeoutError)
    assert 3 <= outcome.elapsed < 3.1
    with pytest.raises(seawall.CallTimeoutError):
        outcome.unwrap()
