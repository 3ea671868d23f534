"""When the alarm is set, whose it is, and that it is gone however the call ends."""

import asyncio
import contextvars
import os
import types

import pytest
import seawall

from tests import needs


def alarms(loop):
    """How many alarms are set on a loop; 0 also if it never had one."""
    found = [timer._callback._state[0] for timer in loop._scheduled if is_wheel(timer)]
    return sum(found)


def is_wheel(timer):
    """Is it the timer of our alarms?"""
    return type(timer._callback).__name__ == "LoopWheel"


@types.coroutine
def pause():
    """Suspends once."""
    yield


def test_a_call_that_never_waits_sets_no_alarm():
    """Neither an alarm nor a timer of the loop: ten thousand calls leave none."""

    @seawall.timeout(60)
    async def work():
        return seawall.remaining()

    async def main():
        for _ in range(10_000):
            assert await work() <= 60
        loop = asyncio.get_running_loop()
        return len(loop._scheduled)

    assert asyncio.run(main()) == 0


def test_one_timer_for_all():
    """A gather of many has an alarm for each, one timer for all, and no alarm afterwards."""

    async def main():
        event = asyncio.Event()

        @seawall.timeout(60)
        async def work():
            await event.wait()

        loop = asyncio.get_running_loop()
        calls = asyncio.gather(*(work() for _ in range(100)))
        await asyncio.sleep(0)
        during = alarms(loop), len(loop._scheduled)
        event.set()
        await calls
        return during, alarms(loop)

    assert asyncio.run(main()) == ((100, 1), 0)


def test_it_belongs_to_the_task_that_awaits(loop_run, clock, forever, counts):
    """A coroutine that was made in one task cancels the one in which it is awaited."""
    timeout = seawall.Timeout(3)
    made = []

    async def maker():
        made.append(timeout(forever)())

    async def main():
        await asyncio.create_task(maker())
        await clock.asleep(10)

        async def awaiter():
            with pytest.raises(seawall.CallTimeoutError) as caught:
                await made.pop()
            return caught.value.elapsed, asyncio.current_task().cancelling()

        return await asyncio.create_task(awaiter())

    elapsed, left = loop_run(main)
    # The time begins when it is awaited.
    assert 3 <= elapsed < 3.1
    assert left == 0
    assert counts(timeout) == {"timed_out": 1}


def test_awaitables_that_plain_functions_give_back(run, clock, forever, counts):
    """They are bounded from the call on, and hold nobody inside who only made them."""
    timeout = seawall.Timeout(3)

    async def get():
        assert seawall.remaining() <= 3
        await forever()

    async def main():
        call = timeout(lambda: get())()
        assert seawall.remaining() is None
        await clock.asleep(1)
        began = clock.elapsed
        with pytest.raises(seawall.CallTimeoutError) as caught:
            await call
        assert seawall.remaining() is None
        return clock.elapsed - began, caught.value.elapsed

    waited, elapsed = run(main)
    assert 2 <= waited < 2.1
    assert 3 <= elapsed < 3.1
    assert counts(timeout) == {"timed_out": 1}


def test_futures_that_plain_functions_give_back(loop_run, clock, counts):
    """A future is waited for in time; it is cancelled as by any other who awaits it."""
    timeout = seawall.Timeout(3)

    async def main():
        future = asyncio.get_running_loop().create_future()
        with pytest.raises(seawall.CallTimeoutError):
            await timeout(lambda: future)()
        done = asyncio.get_running_loop().create_future()
        done.set_result("done")
        return future.cancelled(), await timeout(lambda: done)()

    assert loop_run(main) == (True, "done")
    assert counts(timeout) == {"timed_out": 1, "in_time": 1}


def test_without_a_loop(counts):
    """Driven by hand it can't be cancelled: it runs on, and who drives it is not inside of it."""
    timeout = seawall.Timeout(60)
    seen = []

    @timeout
    async def work():
        for _ in range(3):
            seen.append(seawall.remaining() is not None)
            await pause()
        return "done"

    call = work()
    for _ in range(3):
        call.send(None)
        assert seawall.remaining() is None
    with pytest.raises(StopIteration) as stopped:
        call.send(None)
    assert stopped.value.value == "done"
    assert seen == [True] * 3
    assert seawall.remaining() is None
    assert counts(timeout) == {"in_time": 1}


def thrown_into(call):
    """What is thrown in comes out."""
    with pytest.raises(KeyError):
        call.throw(KeyError("thrown"))


ENDS = {
    "close": lambda call: call.close(),
    "throw": thrown_into,
    "drop": lambda call: None,
}


@pytest.mark.parametrize("hosted", [True, False])
@pytest.mark.parametrize("adopted", [True, False])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("elsewhere", [True, False])
def test_ended_by_hand(counts, hosted, adopted, end, elsewhere):
    """Closed, thrown into or dropped, here or in another context, it leaves nothing behind."""
    timeout = seawall.Timeout(60)

    async def body():
        await pause()

    async def main():
        call = timeout(lambda: body())() if adopted else timeout(body)()
        call.send(None)
        held = [call]
        del call
        if elsewhere:
            contextvars.Context().run(lambda: ENDS[end](held.pop()))
        else:
            ENDS[end](held.pop())
        assert seawall.remaining() is None
        return alarms(asyncio.get_running_loop()) if hosted else 0

    if hosted:
        assert asyncio.run(main()) == 0
    else:
        with pytest.raises(StopIteration):
            main().send(None)
    assert seawall.remaining() is None
    assert counts(timeout) == {"other": 1}


def test_ended_in_any_order():
    """Calls that somebody steps by turns end in any order, and leave nothing behind."""

    async def main():
        calls = [seawall.Timeout(60).call(pause_twice) for _ in range(3)]
        for call in calls:
            call.send(None)
        for number in (0, 2, 1):
            calls[number].close()
        return seawall.remaining(), alarms(asyncio.get_running_loop())

    assert asyncio.run(main()) == (None, 0)


async def pause_twice():
    """Suspends twice."""
    await pause()
    await pause()


def test_adopted_and_never_awaited(counts):
    """An awaitable that is thrown away ends its call."""
    timeout = seawall.Timeout(60)

    async def body():
        await pause()

    timeout(lambda: body())().close()
    assert seawall.remaining() is None
    assert counts(timeout) == {"other": 1}


def test_a_trio_call_that_another_task_drops(counts):
    """The scope of a task is left to it; the call has ended, and nothing of trio is harmed."""
    import trio

    timeout = seawall.Timeout(60)

    async def main():
        held = []

        async def owner(task_status=trio.TASK_STATUS_IGNORED):
            call = timeout(trio.sleep_forever)()
            held.append(call)
            try:
                task_status.started()
                await call
            except trio.Cancelled:
                raise

        async with trio.open_nursery() as nursery:
            await nursery.start(owner)
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        held.clear()
        await trio.lowlevel.checkpoint()
        return seawall.remaining()

    assert trio.run(main) is None
    assert counts(timeout) == {"other": 1}


def test_a_context_that_was_copied(run, clock):
    """A copy of the context inside of a call is bounded by nothing when that has ended."""
    copies = []

    @seawall.timeout(60)
    async def work():
        copies.append(contextvars.copy_context())
        await clock.asleep(1)
        assert copies[0].run(seawall.remaining) == pytest.approx(59, abs=0.1)

    run(work)
    assert copies[0].run(seawall.remaining) is None


@needs.fork
def test_no_loop_runs_in_a_forked_child():
    """A child that is forked in a task is in no task: its call by hand sets no alarm."""

    @seawall.timeout(60)
    async def work():
        await pause()

    async def main():
        await work()
        loop = asyncio.get_running_loop()
        pid = os.fork()
        if pid == 0:
            call = work()
            call.send(None)
            os._exit(10 * alarms(loop) + (seawall.remaining() is not None))
        _, status = os.waitpid(pid, 0)  # noqa: ASYNC222  the parent stands still on purpose
        call = work()
        call.send(None)
        set_here = alarms(loop)
        call.close()
        return os.waitstatus_to_exitcode(status), set_here

    assert asyncio.run(main()) == (0, 1)
