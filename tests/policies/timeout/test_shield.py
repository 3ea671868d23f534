"""What is to be finished although the deadline passes."""

import asyncio
import contextlib

import anyio
import pytest
import seawall


def test_the_inside_is_finished(run, clock, forever):
    """The deadline passes meanwhile; the task is cancelled where it waits after the shield."""

    async def main():
        reached = []
        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(3):
                async with seawall.deadline.shield():
                    assert seawall.remaining() is None
                    await clock.asleep(10)
                    reached.append("inside")
                assert seawall.remaining() == 0.0
                reached.append("behind")
                await forever()
        return reached

    assert run(main) == ["inside", "behind"]
    assert 10 <= clock.elapsed < 11


def test_in_time_nothing_is_changed(run, clock, forever):
    """A shield that ends in time leaves the deadline as it was."""

    async def main():
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            async with seawall.deadline(5):
                async with seawall.deadline.shield():
                    await clock.asleep(2)
                await forever()
        return caught.value.elapsed

    assert 5 <= run(main) < 5.1


def test_all_around_are_kept_off(run, clock, forever):
    """Each of several deadlines around holds again behind the shield."""

    async def main():
        order = []
        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(3, name="outer"):
                with contextlib.suppress(KeyError):
                    async with seawall.deadline(4, name="inner"):
                        async with seawall.deadline.shield():
                            await clock.asleep(10)
                            order.append("finished")
                        raise KeyError
                await forever()
        return order

    assert run(main) == ["finished"]


def test_a_deadline_inside(run, clock, forever):
    """Inside of a shield a deadline of its own bounds, and nothing else."""

    async def main():
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            async with seawall.deadline(3, name="outer"), seawall.deadline.shield():
                async with seawall.deadline(10, name="commit"):
                    await forever()
        return caught.value.name

    assert run(main) == "commit"
    assert 10 <= clock.elapsed < 11


def test_a_clean_up_after_the_time(run, clock, forever):
    """Entered when the deadline has passed, it lets a clean-up wait."""

    async def main():
        cleaned = []
        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(3):
                try:
                    await forever()
                finally:
                    async with seawall.deadline.shield():
                        await clock.asleep(1)
                        cleaned.append(1)
        return cleaned

    assert run(main) == [1]


def test_other_cancellations_reach_the_inside(run, forever, cancellations):
    """It shields from deadlines, not from whoever cancels the task."""

    async def main():
        ended = []
        with anyio.CancelScope() as scope:
            async with seawall.deadline(60), seawall.deadline.shield():
                scope.cancel()
                try:
                    await forever()
                except cancellations:
                    ended.append(1)
                    raise
        return ended, scope.cancelled_caught

    assert run(main) == ([1], True)


def test_an_outer_cancellation_is_not_taken_for_its_own(loop_run, clock, forever):
    """Somebody cancels during the shield, and the deadline passes: the task is cancelled."""

    async def main():
        async def work():
            async with seawall.deadline(5):
                with contextlib.suppress(asyncio.CancelledError):
                    async with seawall.deadline.shield():
                        await forever()
                await forever()

        task = asyncio.create_task(work())
        await clock.asleep(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert loop_run(main)


def test_alarms_of_other_tasks_are_let_be(run, clock, forever):
    """A shield in a child keeps nothing from its parent's task."""

    async def main():
        async def child():
            async with seawall.deadline.shield():
                await clock.asleep(10)

        async with anyio.create_task_group() as group:
            with pytest.raises(seawall.DeadlineExceededError) as caught:
                async with seawall.deadline(3):
                    group.start_soon(child)
                    await forever()
        return caught.value.elapsed

    assert 3 <= run(main) < 3.1
