"""Futures that a plain function gives back: they stay themselves, and are counted when done."""

import asyncio
import contextlib
import gc
import weakref

import pytest
import seawall


async def work(value=7):
    """Suspends and returns, or raises what it is given."""
    await asyncio.sleep(0)
    if isinstance(value, BaseException):
        raise value
    return value


@pytest.mark.parametrize("end", ["result", "failure", "cancelled", "interrupt"])
def test_futures_stay_themselves(patient, tally, end):
    """A future is handed on as it is, and settled by its own callback."""

    async def main():
        future = asyncio.get_running_loop().create_future()
        assert patient(lambda: future)() is future
        assert tally(patient) == {"in_flight": 1}
        match end:
            case "result":
                future.set_result(7)
            case "failure":
                future.set_exception(OSError("ill"))
            case "interrupt":
                future.set_exception(KeyboardInterrupt())
            case "cancelled":
                future.cancel()
        with contextlib.suppress(OSError, KeyboardInterrupt, asyncio.CancelledError):
            await future
        await asyncio.sleep(0)

    asyncio.run(main())
    counted = {"result": "success", "failure": "failure"}.get(end, "cancelled")
    assert tally(patient) == {counted: 1}


def test_tasks(patient, tally):
    """A function that starts a task gives back that task, which counts as it ends."""

    async def main():
        start = patient(lambda *args: asyncio.create_task(work(*args)))
        task = start()
        assert isinstance(task, asyncio.Task)
        assert await task == 7
        with pytest.raises(OSError, match="ill"):
            await start(OSError("ill"))
        cancelled = start()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled

    asyncio.run(main())
    assert tally(patient) == {"success": 1, "failure": 1, "cancelled": 1}


def test_a_failed_task_nobody_asks_is_still_reported(patient, tally):
    """Settling by a task's result does not hide asyncio's word about errors nobody fetched."""
    told = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(about))
        task = patient(lambda: asyncio.create_task(work(OSError("ill"))))()
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(main())
    assert tally(patient) == {"failure": 1}
    assert [about["message"] for about in told] == ["Task exception was never retrieved"]


def test_a_future_that_is_done_already(patient, tally):
    """A finished future is settled at the loop's next turn."""

    async def main():
        future = asyncio.get_running_loop().create_future()
        future.set_result(7)
        assert await patient(lambda: future)() == 7
        await asyncio.sleep(0)

    asyncio.run(main())
    assert tally(patient) == {"success": 1}


def test_a_future_thrown_away(patient, tally):
    """A pending future that nobody holds any more gives its permit back."""
    loop = asyncio.new_event_loop()
    future = patient(loop.create_future)()
    assert tally(patient) == {"in_flight": 1}
    del future
    gc.collect()
    loop.close()
    assert tally(patient) == {"cancelled": 1}


def test_gather(patient, tally):
    """The future of a gather is adopted like any other."""

    async def main():
        both = patient(lambda *errors: asyncio.gather(work(1), work(2), *map(work, errors)))
        assert await both() == [1, 2]
        with pytest.raises(OSError, match="ill"):
            await both(OSError("ill"))

    asyncio.run(main())
    assert tally(patient) == {"success": 1, "failure": 1}


def test_an_executors_future(patient, tally):
    """`run_in_executor` behind a plain function counts when the thread has answered."""

    async def main():
        loop = asyncio.get_running_loop()
        protected = patient(lambda function: loop.run_in_executor(None, function))
        assert await protected(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await protected(lambda: 1 / 0)

    asyncio.run(main())
    assert tally(patient) == {"success": 1, "failure": 1}


def test_a_future_in_a_cycle_with_its_policy(clock):
    """A future, its settler and a listener that holds the future are collected together."""
    loop = asyncio.new_event_loop()
    held = []
    breaker = seawall.CircuitBreaker(failure_threshold=1, on_event=held.append)
    held.append(breaker(loop.create_future)())

    class Listener(list):
        def __call__(self, event):
            """Listens."""

    listener = Listener()
    breaker.reconfigure(on_event=listener)
    listener.append(breaker(loop.create_future)())
    gone = weakref.ref(listener[0])
    held.clear()
    del listener, breaker, held
    gc.collect()
    loop.close()
    assert gone() is None
