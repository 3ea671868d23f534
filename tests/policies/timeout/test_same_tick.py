"""Time that is over in the very turn of a loop in which something else happens."""

import asyncio
import time

import pytest
import seawall


class Block:
    """In an `async with`."""

    late = seawall.DeadlineExceededError

    @staticmethod
    def bounded(body):
        """What `body` does, in a tenth of a second: nothing here takes as long by itself."""

        async def work():
            async with seawall.deadline(0.1):
                return await body()

        return work


class Policy:
    """By a decorator."""

    late = seawall.CallTimeoutError

    @staticmethod
    def bounded(body):
        """What `body` does, in a tenth of a second: nothing here takes as long by itself."""
        return seawall.Timeout(0.1)(body)


@pytest.fixture(params=[Block, Policy], ids=["block", "policy"])
def form(request):
    """What fits both runs on both."""
    return request.param


async def at_once(task, happens, *args):
    """The next turn of the loop finds a task's alarm due, and what else happens, at once."""
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    loop.call_at(loop.time() + 0.001, happens, *args)
    # Real time: the alarm is a timer of the loop's, and nothing else may run until it is due.
    time.sleep(0.12)  # noqa: ASYNC251


def test_cancelled_and_out_of_time_at_once(loop_run, forever, form):
    """A cancellation of the same tick wins: the task is cancelled, not timed out."""

    async def main():
        task = asyncio.create_task(form.bounded(forever)())
        await at_once(task, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled(), task.cancelling()

    assert loop_run(main) == (True, 1)


def test_a_result_of_the_same_tick(loop_run, cancelling, form):
    """What arrives in the tick in which time is over is late, and no cancellation is left over."""

    async def main():
        future = asyncio.get_running_loop().create_future()

        async def body():
            return await future

        async def caller():
            with pytest.raises(form.late):
                await form.bounded(body)()
            before = cancelling()
            # Real time: an alarm that was left would ring now.
            await asyncio.sleep(0.002)
            return before

        task = asyncio.create_task(caller())
        await at_once(task, future.set_result, "result")
        return await task

    assert loop_run(main) == 0
