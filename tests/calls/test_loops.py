"""Protected coroutines under asyncio, uvloop, trio and anyio."""

import asyncio
import contextlib
import contextvars

import anyio
import anyio.lowlevel
import pytest
import seawall
import trio.testing

from tests import hosts


@pytest.fixture
def sleeper(patient):
    """A protected coroutine function that never ends by itself, and what says it has begun."""

    async def sleeper(begun=None):
        if begun is not None:
            begun.set()
        await asyncio.Event().wait()

    return patient(sleeper)


@pytest.fixture
def quick(patient):
    """A protected coroutine function that suspends and returns its argument."""

    @patient
    async def quick(value):
        await asyncio.sleep(0)
        return value

    return quick


LOOPS = {**hosts.LOOPS, "debug": hosts.on_debugged}


@pytest.fixture(params=LOOPS)
def run(request):
    """Runs a coroutine on an event loop of each sort."""
    return lambda coroutine: LOOPS[request.param](lambda: coroutine)


def test_ways_to_run_it(run, quick, patient, tally):
    """await, create_task, ensure_future, gather, wait, shield, TaskGroup and run take it."""

    async def main():
        assert await quick(1) == 1
        assert await asyncio.create_task(quick(2), name="named") == 2
        assert await asyncio.ensure_future(quick(3)) == 3
        assert await asyncio.gather(quick(4), quick(5)) == [4, 5]
        assert await asyncio.shield(quick(6)) == 6
        assert await asyncio.wait_for(quick(7), 10) == 7
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            task = group.create_task(quick(8))
        assert task.result() == 8
        return [await each for each in asyncio.as_completed([quick(9)])]

    assert run(main()) == [9]
    assert tally(patient) == {"success": 9}


def test_run_takes_the_coroutine_itself(run, quick):
    """It can be the main coroutine of a loop."""
    assert run(quick(1)) == 1


def test_cancelled_before_its_first_step(run, sleeper, patient, tally):
    """A task cancelled before it began asks no policy and warns nothing."""

    async def main():
        task = asyncio.create_task(sleeper())
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run(main())
    assert tally(patient) in ({}, {"cancelled": 1})
    assert patient.snapshot().in_flight == 0


def test_cancelled_during(run, sleeper, patient, tally):
    """Cancellation is neutral and gives the permit back, whoever asks for it."""

    async def main():
        begun = asyncio.Event()
        task = asyncio.create_task(sleeper(begun))
        await begun.wait()
        assert patient.snapshot().in_flight == 1
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sleeper(), 0.001)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await sleeper()

    run(main())
    assert tally(patient) == {"cancelled": 3}


def test_the_loops_end_cancels(run, sleeper, patient, tally):
    """A task that outlives the main one is cancelled by the loop, and gives its permit back."""

    async def main():
        begun = asyncio.Event()
        task = asyncio.create_task(sleeper(begun))
        await begun.wait()
        return task

    assert run(main()).cancelled()
    assert tally(patient) == {"cancelled": 1}


def test_a_task_looks_like_its_coroutine(run, sleeper):
    """A task's repr, stack and coroutine are those of the protected function."""

    async def main():
        begun = asyncio.Event()
        task = asyncio.create_task(sleeper(begun))
        await begun.wait()
        assert "sleeper" in repr(task)
        [frame] = task.get_stack()
        assert frame.f_code.co_name == "sleeper"
        assert task.get_coro().cr_frame is frame
        task.cancel()

    run(main())


def test_tasks_of_one_function_are_apart(run, patient, tally):
    """Many tasks of one protected function run at once."""

    @patient
    async def function(barrier):
        await barrier.wait()

    async def main():
        barrier = asyncio.Barrier(100)
        await asyncio.gather(*(function(barrier) for _ in range(100)))

    run(main())
    assert tally(patient) == {"success": 100}


def test_context_variables(run, patient):
    """A protected call runs in its caller's context, and what it sets there stays."""
    variable = contextvars.ContextVar("variable", default=0)

    @patient
    async def function():
        variable.set(variable.get() + 1)
        await asyncio.sleep(0)

    async def main():
        await function()
        await asyncio.create_task(function())
        return variable.get()

    assert run(main()) == 1


RUNNERS = {
    "trio": hosts.on_trio,
    "anyio-asyncio": hosts.on_anyio,
    "anyio-trio": hosts.on_anyio_over_trio,
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_structured_loops(patient, tally, runner):
    """Trio and anyio run protected functions as main, in nurseries, and cancel them neutrally."""
    run = RUNNERS[runner]

    @patient
    async def function():
        await anyio.lowlevel.checkpoint()
        return 7

    @patient
    async def forever():
        await anyio.sleep_forever()

    async def main():
        assert await function() == 7
        async with anyio.create_task_group() as group:
            group.start_soon(function)
            group.start_soon(forever)
            await anyio.wait_all_tasks_blocked()
            assert patient.snapshot().in_flight == 1
            group.cancel_scope.cancel()
        with anyio.move_on_after(0.001):
            await forever()

    run(main)
    assert run(function) == 7
    assert tally(patient) == {"success": 3, "cancelled": 2}


def test_trio_nursery(patient, tally):
    """A trio nursery starts a protected function by itself; `trio.Cancelled` never counts."""

    @patient
    async def forever():
        await trio.sleep_forever()

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(forever)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert tally(patient) == {"cancelled": 1}


def test_rejected_in_a_gather(run, quick, patient):
    """Rejections in a gather are exceptions like any other, each its own object."""
    patient.force_open()

    async def main():
        return await asyncio.gather(quick(1), quick(2), return_exceptions=True)

    one, two = run(main())
    assert isinstance(one, seawall.CircuitOpenError)
    assert one is not two


@pytest.fixture
def items(patient):
    """A protected async generator function that waits for each item, and tells its end."""

    @patient
    async def items(*, sleep=asyncio.sleep, told=None):
        try:
            for item in range(3):
                await sleep(0)
                yield item
            await sleep(3600)
        finally:
            if told is not None:
                await sleep(0)
                told.append("finally")

    return items


def test_async_generators(run, items, patient, tally):
    """Items are awaited, left, and cut off by a timeout, which is neutral."""
    told = []

    async def main():
        async with contextlib.aclosing(items(told=told)) as generator:
            async for item in generator:
                if item == 1:
                    break
        assert told == ["finally"]
        assert await anext(items()) == 0
        generator = items(told=told)
        with pytest.raises(TimeoutError):
            await cut_off(generator)

    async def cut_off(generator):
        async with asyncio.timeout(0.01):
            async for _ in generator:
                pass

    run(main())
    assert told == ["finally"] * 2
    assert tally(patient) == {"success": 2, "cancelled": 1}


def test_async_generators_left_to_the_loop(run, items, patient, tally):
    """The loop ends what was dropped, and what is left when it ends, and their cleanup runs."""
    told = []
    kept = []

    async def main():
        async for _ in items(told=told):
            break
        for _ in range(3):
            await asyncio.sleep(0)
        assert told == ["finally"]
        kept.append(items(told=told))
        await anext(kept[0])

    run(main())
    assert told == ["finally"] * 2
    assert kept[0].ag_frame is None
    kept.clear()
    assert tally(patient) == {"success": 2}


def test_async_generators_are_cancelled(run, items, patient, tally):
    """A task that is cancelled in the middle of an item gives the permit back."""

    async def consume():
        async for _ in items():
            pass

    async def main():
        task = asyncio.create_task(consume())
        while patient.snapshot().in_flight == 0:
            await asyncio.sleep(0)
        # It goes on until it waits for an item that does not come.
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    run(main())
    assert tally(patient) == {"cancelled": 1}


@pytest.mark.parametrize("runner", RUNNERS)
def test_async_generators_in_structured_loops(items, patient, tally, runner):
    """Trio and anyio iterate them, cut them off, and end what was left."""
    told = []

    async def main():
        async with contextlib.aclosing(items(sleep=anyio.sleep)) as generator:
            assert await anext(generator) == 0
        with anyio.move_on_after(0.01):
            async for _ in items(sleep=anyio.sleep):
                pass
        assert tally(patient) == {"success": 1, "cancelled": 1}
        kept = items(sleep=anyio.sleep)
        told.append(kept)
        await anext(kept)

    RUNNERS[runner](main)
    told.clear()
    assert tally(patient) == {"success": 2, "cancelled": 1}
