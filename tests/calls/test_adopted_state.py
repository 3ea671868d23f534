"""An adopted awaitable stands where a coroutine would: it answers what debuggers ask of one."""

import asyncio
import contextlib
import inspect
import io

import pytest

from tests.calls.awaitables import Awaitable


class Generating:
    """An awaitable whose iterator is a generator."""

    def __await__(self):
        """Suspends once."""
        yield
        return 7


class Failing:
    """An awaitable that fails when it is asked for its iterator."""

    def __await__(self):
        """Fails."""
        raise OSError("ill")


@pytest.mark.parametrize("shape", [Awaitable, Generating])
def test_state_of_an_adopted_awaitable(patient, shape):
    """`inspect.getcoroutinestate` and the `cr_*` behind it answer for what is no coroutine too."""

    @patient
    def function():
        return shape()

    adopted = function()
    assert inspect.getcoroutinestate(adopted) == inspect.CORO_SUSPENDED
    assert adopted.cr_await is adopted.cr_code is adopted.cr_frame is adopted.cr_origin is None
    assert adopted.__name__ == adopted.__qualname__ == shape.__name__
    adopted.send(None)
    assert inspect.getcoroutinestate(adopted) == inspect.CORO_SUSPENDED
    assert (adopted.cr_running, adopted.cr_suspended) == (False, True)
    if shape is Generating:
        assert adopted.cr_code is Generating.__await__.__code__
        assert adopted.cr_frame.f_code is adopted.cr_code
        assert adopted.__qualname__ == "Generating.__await__"
    adopted.close()
    assert inspect.getcoroutinestate(adopted) == inspect.CORO_CLOSED
    assert repr(adopted).startswith("<protected <")


def test_state_of_an_adopted_awaitable_that_runs(patient):
    """While it runs it says so."""
    seen = []

    class Looks:
        def __await__(self):
            return self

        def __iter__(self):
            return self

        def __next__(self):
            seen.append((inspect.getcoroutinestate(adopted), adopted.cr_suspended))
            raise StopIteration

    adopted = patient(lambda: Looks())()
    with pytest.raises(StopIteration):
        adopted.send(None)
    assert seen == [(inspect.CORO_RUNNING, False)]
    assert inspect.getcoroutinestate(adopted) == inspect.CORO_CLOSED


@pytest.mark.parametrize("shape", [Awaitable, Generating, Failing])
def test_a_task_of_an_adopted_awaitable_can_be_shown(patient, shape):
    """The debug mode of asyncio, a task's repr and its stack work on it."""

    @patient
    def function():
        return shape()

    async def main():
        task = asyncio.create_task(function())
        assert shape.__name__ in repr(task)
        await asyncio.sleep(0)
        out = io.StringIO()
        task.print_stack(file=out)
        assert "<Task" in out.getvalue()
        assert repr(task)
        with contextlib.suppress(OSError):
            await task
        assert task.done()

    asyncio.run(main(), debug=True)
