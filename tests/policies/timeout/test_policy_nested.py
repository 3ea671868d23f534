"""Timeouts beside deadlines, beside one another, and beside what the loops have."""

import asyncio

import anyio
import pytest
import seawall


@pytest.mark.parametrize("first", ["outer", "inner"])
@pytest.mark.parametrize("stacked", [True, False])
def test_the_error_names_the_one_that_passed(run, clock, forever, cancelling, first, stacked):
    """Of two timeouts that one is named whose time was over, stacked or called by one another."""
    seconds = {"outer": (3, 9), "inner": (9, 3)}[first]
    outer = seawall.Timeout(seconds[0], name="outer")
    inner = seawall.Timeout(seconds[1], name="inner")

    async def call():
        await inner.call(forever)

    with pytest.warns(seawall.CompositionWarning) if stacked and first == "outer" else _nothing():
        work = outer(inner(forever)) if stacked else outer(call)

    async def main():
        with pytest.raises(seawall.CallTimeoutError) as caught:
            await work()
        return caught.value.name, cancelling(), seawall.remaining()

    assert run(main) == (first, 0, None)
    assert 3 <= clock.elapsed < 4


class _nothing:  # noqa: N801  stands for a context manager
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


@pytest.mark.parametrize("seconds", [(3, 9), (9, 3), (3, 3)])
def test_a_deadline_around(run, clock, forever, cancelling, counts, seconds):
    """A deadline that passes first raises its own error, and the timeout counts no call as its."""
    timeout = seawall.Timeout(seconds[1], name="call")
    work = timeout(forever)

    async def main():
        try:
            async with seawall.deadline(seconds[0], name="request"):
                await work()
        except (seawall.DeadlineExceededError, seawall.CallTimeoutError) as error:
            return error.name, cancelling(), seawall.remaining()

    name = "call" if seconds[1] < seconds[0] else "request"
    assert run(main) == (name, 0, None)
    assert counts(timeout) == ({"timed_out": 1} if name == "call" else {"other": 1})


@pytest.mark.parametrize("seconds", [(3, 9), (9, 3)])
def test_a_deadline_inside(run, clock, forever, cancelling, counts, seconds):
    """One that passes inside is the body's error; one that the timeout's time cuts short is not."""
    timeout = seawall.Timeout(seconds[0], name="call")

    @timeout
    async def work():
        async with seawall.deadline(seconds[1], name="query"):
            await forever()

    async def main():
        try:
            await work()
        except (seawall.DeadlineExceededError, seawall.CallTimeoutError) as error:
            return error.name, cancelling(), seawall.remaining()

    name = "query" if seconds[1] < seconds[0] else "call"
    assert run(main) == (name, 0, None)
    assert counts(timeout) == ({"timed_out": 1} if name == "call" else {"other": 1})


def test_what_asks_inside_hears_of_it(run, clock):
    """`deadline.check` inside names the timeout; outside it is the timeout's own error."""
    inside = []

    @seawall.timeout(3, name="call")
    async def work():
        clock.advance(4)
        try:
            seawall.deadline.check()
        except seawall.DeadlineExceededError as error:
            inside.append((error.name, error.limit))
            raise

    async def main():
        with pytest.raises(seawall.CallTimeoutError) as caught:
            await work()
        return caught.value

    error = run(main)
    assert inside == [("call", 3.0)]
    assert (error.name, error.limit) == ("call", 3.0)
    assert isinstance(error.__cause__, seawall.DeadlineExceededError)


def test_a_shielded_part(run, clock, forever):
    """A part that is shielded is finished; the call is out of time where it waits next."""
    done = []

    @seawall.timeout(3)
    async def work():
        async with seawall.deadline.shield():
            await clock.asleep(5)
            done.append(1)
        await forever()

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await work()

    run(main)
    assert done == [1]
    assert 5 <= clock.elapsed < 6


def test_a_shielded_future(loop_run, clock):
    """What `asyncio.shield` keeps goes on; the call that waited for it is over."""

    async def main():
        async def job():
            await clock.asleep(5)
            return "finished"

        task = asyncio.create_task(job())

        @seawall.timeout(3)
        async def work():
            await asyncio.shield(task)

        with pytest.raises(seawall.CallTimeoutError):
            await work()
        return await task

    assert loop_run(main) == "finished"


def test_a_task_group_inside(run, clock, forever, cancelling):
    """Its children are cancelled with the call, which raises the timeout's error alone."""
    ended = []

    async def child():
        try:
            await forever()
        finally:
            ended.append(1)

    @seawall.timeout(3)
    async def work():
        async with anyio.create_task_group() as group:
            group.start_soon(child)
            group.start_soon(child)

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await work()
        return ended, cancelling()

    assert run(main) == ([1, 1], 0)


def test_asyncios_task_group_inside(loop_run, clock, forever, cancelling):
    """The same with asyncio's own, which asks `cancelling`."""

    @seawall.timeout(3)
    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())
            await forever()

    async def main():
        with pytest.raises(seawall.CallTimeoutError):
            await work()
        return cancelling()

    assert loop_run(main) == 0


def test_errors_of_a_group(run, clock, forever, cancellations, cancelling):
    """A child that fails on its way out is heard of: its group is the cause, or the error."""

    async def child():
        try:
            await forever()
        except cancellations:
            raise KeyError("lost") from None

    @seawall.timeout(3)
    async def work():
        async with anyio.create_task_group() as group:
            group.start_soon(child)
            group.start_soon(forever)

    async def main():
        try:
            await work()
        except seawall.CallTimeoutError as error:
            found = error.__cause__
        except ExceptionGroup as error:
            found = error
        assert cancelling() == 0
        return found

    assert run(main).subgroup(KeyError) is not None


def test_asyncios_own_around_and_inside(loop_run, clock, forever, cancelling):
    """Beside `asyncio.timeout` and `wait_for` each takes only its own cancellation for its own."""
    long, short = seawall.Timeout(60, name="long"), seawall.Timeout(3, name="short")

    @short
    async def timed():
        async with asyncio.timeout(600):
            await forever()

    @short
    async def waiting():
        await asyncio.wait_for(forever(), 600)

    async def main():
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.01):
                await long(asyncio.sleep)(1)
        assert type(caught.value) is TimeoutError
        with pytest.raises(TimeoutError) as caught:
            await asyncio.wait_for(long(asyncio.sleep)(1), 0.01)
        assert type(caught.value) is TimeoutError
        for work in (timed, waiting):
            with pytest.raises(seawall.CallTimeoutError) as caught:
                await work()
            assert caught.value.name == "short"
        return cancelling()

    # The timeouts of ours are virtual, asyncio's are not.
    assert loop_run(main) == 0
    assert long.snapshot().in_flight == short.snapshot().in_flight == 0


def test_trios_own_around_and_inside(clock, forever):
    """Beside scopes of trio's likewise; a cancelled scope is no timeout of ours."""
    import trio

    async def main():
        with trio.CancelScope() as scope:
            scope.cancel()
            await seawall.Timeout(60).call(forever)
        assert scope.cancelled_caught

        @seawall.timeout(3)
        async def work():
            with trio.CancelScope():
                await forever()

        with pytest.raises(seawall.CallTimeoutError):
            await work()

    trio.run(main)


def test_a_task_that_outlives_its_call(run, clock, forever):
    """A timeout bounds one call: what was started inside is not bounded any more afterwards."""
    seen = []

    async def main():
        async with anyio.create_task_group() as group:

            @seawall.timeout(3)
            async def work():
                group.start_soon(background)
                await clock.asleep(1)

            async def background():
                before = seawall.remaining()
                await clock.asleep(2)
                seen.extend([before is not None, seawall.remaining()])
                with seawall.deadline(30):
                    seen.append(round(seawall.remaining()))

            # A task of anyio's has the context of whoever starts it.
            await work()

    run(main)
    assert seen == [True, None, 30]
