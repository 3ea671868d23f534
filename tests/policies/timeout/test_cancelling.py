"""`async with deadline`: cancels in time, and never what somebody else has cancelled."""

import asyncio
import contextlib
import time

import anyio
import pytest
import seawall
import trio


def cancelling():
    """How many have asked for the cancellation of this task; none under trio."""
    task = None if trio.lowlevel.in_trio_task() else asyncio.current_task()
    return 0 if task is None else task.cancelling()


def test_it_cancels_in_time(run, clock, forever, cancellations):
    """Work that takes too long ends at its time, in an error that came from the cancellation."""

    async def main():
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            async with seawall.deadline(30, name="request"):
                await forever()
        assert seawall.remaining() is None
        assert cancelling() == 0
        await clock.asleep(1)
        return caught.value

    error = run(main)
    assert (error.name, error.limit) == ("request", 30.0)
    assert 30 <= error.elapsed < 30.1
    assert isinstance(error.__cause__, cancellations)
    assert 31 <= clock.elapsed < 31.1


def test_on_the_machines_clock(run, forever):
    """Without a test's clock it goes by the machine's: not early, and soon after."""

    async def main():
        began = time.monotonic()
        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(0.02):
                await forever()
        return time.monotonic() - began

    assert 0.02 <= run(main) < 1


def test_work_in_time_is_let_be(run, clock):
    """Work that ends in time has its result, and nothing rings afterwards."""

    async def main():
        async with seawall.deadline(3):
            await clock.asleep(2)
            result = "done"
        await clock.asleep(5)
        return result

    assert run(main) == "done"


def test_time_that_was_over_when_it_began(run, forever):
    """A deadline that has passed cancels at the first wait."""

    async def main():
        reached = []
        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(0):
                reached.append(1)
                await forever()
        return reached

    assert run(main) == [1]


def test_a_swallowed_cancellation_still_times_out(run, clock, forever, cancellations):
    """A body that catches the cancellation and goes on is late at the end of its block."""

    async def main():
        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(3):
                with contextlib.suppress(*cancellations):
                    await forever()
        return cancelling()

    assert run(main) == 0


def test_late_without_a_wait(run):
    """A body that never waits is late all the same: the clock is asked at the end."""

    async def main():
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            async with seawall.deadline(0.001):
                # Real time: it blocks the loop for longer than a real alarm waits.
                time.sleep(0.01)  # noqa: ASYNC251
        assert caught.value.__cause__ is None
        # Real time: an alarm that was left would ring now.
        await anyio.sleep(0.01)
        return cancelling()

    assert run(main) == 0


def test_an_error_of_its_own(run, clock, forever, cancellations):
    """An error that the cancelled work raises stays, and its history tells of the deadline."""

    async def main():
        with pytest.raises(KeyError) as caught:
            async with seawall.deadline(3, name="request"):
                try:
                    await forever()
                finally:
                    raise KeyError("cleanup")
        assert cancelling() == 0
        return caught.value

    error = run(main)
    assert isinstance(error.__context__, seawall.DeadlineExceededError)
    assert error.__context__.name == "request"
    assert isinstance(error.__context__.__cause__, cancellations)


def test_an_error_before_its_time(run):
    """An error in time passes untouched."""

    async def main():
        with pytest.raises(KeyError) as caught:
            async with seawall.deadline(3):
                raise KeyError(1)
        return caught.value.__context__

    assert run(main) is None


@pytest.mark.parametrize("first", ["outer", "inner"])
def test_the_error_names_the_one_that_passed(run, clock, forever, first):
    """Of nested deadlines the one that passed raises, in its own block."""
    seconds = {"outer": (3, 9), "inner": (9, 3)}[first]

    async def main():
        raised = []
        try:
            async with seawall.deadline(seconds[0], name="outer"):
                try:
                    async with seawall.deadline(seconds[1], name="inner"):
                        await forever()
                except seawall.DeadlineExceededError as error:
                    raised.append(("inside", error.name))
                    raise
        except seawall.DeadlineExceededError as error:
            raised.append(("outside", error.name))
        return raised, cancelling()

    raised, left = run(main)
    assert raised[-1] == ("outside", first)
    assert {name for _, name in raised} == {first}
    assert left == 0


def test_a_cooperative_one_around(run, clock, forever):
    """A block inside a `with` cancels at the time of that, and names it."""

    async def main():
        with seawall.deadline(3, name="request"):
            with pytest.raises(seawall.DeadlineExceededError) as caught:
                async with seawall.deadline(60, name="query"):
                    await forever()
        return caught.value.name

    assert run(main) == "request"
    assert clock.elapsed < 4


def test_an_outer_cancellation_stays_one(run, clock, forever, cancellations):
    """Cancelled from outside, the block lets the cancellation through."""

    async def main():
        ended = []
        with anyio.CancelScope() as scope:
            try:
                async with seawall.deadline(60):
                    scope.cancel()
                    await forever()
            except cancellations as error:
                ended.append(type(error))
                raise
        return ended, scope.cancelled_caught

    ended, caught = run(main)
    assert len(ended) == 1
    assert caught


def test_inside_and_outside_of_the_hosts_own(run, clock, forever):
    """Anyio's scopes and the block nest either way; each raises for its own time."""

    async def main():
        with anyio.CancelScope() as scope:
            async with seawall.deadline(60):
                with pytest.raises(seawall.DeadlineExceededError):
                    async with seawall.deadline(2):
                        with anyio.CancelScope():
                            await forever()
                scope.cancel()
                await forever()
        return scope.cancelled_caught, cancelling()

    assert run(main) == (True, 0)


def test_asyncio_timeout_around_and_inside(loop_run, clock, forever):
    """Beside `asyncio.timeout` each takes only its own cancellation for its own."""

    async def main():
        with pytest.raises(TimeoutError) as outer:
            async with asyncio.timeout(0.01):
                async with seawall.deadline(60):
                    # Real time: asyncio's timeout knows no other.
                    await asyncio.sleep(1)
        assert type(outer.value) is TimeoutError
        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(3):
                async with asyncio.timeout(600):
                    await forever()
        return asyncio.current_task().cancelling()

    # The deadlines are virtual, asyncio's are not.
    assert loop_run(main) == 0


def test_a_task_group(run, clock, forever):
    """Children of a group inside are cancelled with the block, which raises the error alone."""

    async def main():
        ended = []

        async def child():
            try:
                await forever()
            finally:
                ended.append(1)

        with pytest.raises(seawall.DeadlineExceededError):
            async with seawall.deadline(3), anyio.create_task_group() as group:
                group.start_soon(child)
                group.start_soon(child)
        return ended, cancelling()

    assert run(main) == ([1, 1], 0)


def test_errors_of_a_group_outlive_the_deadline(run, clock, forever, cancellations):
    """A child that fails on its way out is heard of."""

    async def main():
        async def child():
            try:
                await forever()
            except cancellations:
                raise KeyError("lost") from None

        with pytest.raises(ExceptionGroup) as caught:
            async with seawall.deadline(3), anyio.create_task_group() as group:
                group.start_soon(child)
                group.start_soon(forever)
        assert cancelling() == 0
        return caught.value

    assert run(main).subgroup(KeyError) is not None


def test_many_at_once(run, clock, forever):
    """Many tasks with deadlines of their own end in the order of those."""

    async def main():
        ended = []

        async def one(seconds):
            try:
                async with seawall.deadline(seconds):
                    await forever()
            except seawall.DeadlineExceededError:
                ended.append(seconds)

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, 1 + number * 7 % 20)
        return ended

    ended = run(main)
    assert ended == sorted(ended)
    assert len(ended) == 20


def test_without_anybody_who_could_cancel():
    """Driven by hand, with neither asyncio nor trio, the block says what it needs."""

    async def main():
        async with seawall.deadline(1):
            pass

    with pytest.raises(RuntimeError, match="asyncio and trio"):
        main().send(None)
    assert seawall.remaining() is None
