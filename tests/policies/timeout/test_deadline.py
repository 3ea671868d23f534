"""A deadline in a context: who it bounds, for how long, and what it says when it has passed."""

import asyncio
import contextlib
import contextvars
import threading
import time
from datetime import timedelta

import pytest
import seawall

from tests.children import child


def test_what_remains(clock):
    """Time runs from entering the block, and never shows less than nothing; outside is none."""
    block = seawall.deadline(5)
    clock.advance(2)
    assert seawall.remaining() is None
    with block as entered:
        assert entered is block
        clock.advance(3)
        assert seawall.remaining() == block.remaining() == 2.0
        assert not block.expired
        clock.advance(3)
        assert seawall.remaining() == 0.0
        assert block.expired
    assert seawall.remaining() is None


@pytest.mark.parametrize("step", [-1e7, 1e7])
def test_a_step_of_the_wall_clock_changes_nothing(monkeypatch, step):
    """Backoff's bug: on the machine's clock, deadlines and timeouts go by one that is never set."""
    with seawall.deadline(60):
        now = time.time()
        monkeypatch.setattr("time.time", lambda: now + step)
        assert 30 < seawall.remaining() <= 60
        assert seawall.Timeout(30).call(seawall.remaining) > 20
        assert asyncio.run(seawall.Timeout(30).call(asyncio.sleep, 0, "done")) == "done"


def test_the_earliest_holds(clock):
    """Nested deadlines bound by their minimum, whichever is inside."""
    with seawall.deadline(5):
        with seawall.deadline(9) as longer:
            assert seawall.remaining() == longer.remaining() == 5.0
        with seawall.deadline(2):
            clock.advance(1)
            assert seawall.remaining() == 1.0
            with seawall.deadline(3):
                assert seawall.remaining() == 1.0
        assert seawall.remaining() == 4.0


def test_check_names_the_one_that_passed(clock):
    """`check` raises an error that knows the deadline that passed, not the innermost one."""
    with seawall.deadline(2, name="request"), seawall.deadline(5, name="query"):
        seawall.deadline.check()
        clock.advance(2.5)
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            seawall.deadline.check()
    error = caught.value
    assert (error.policy, error.name, error.limit, error.elapsed) == (
        "deadline",
        "request",
        2.0,
        2.5,
    )
    assert "test_check_names_the_one_that_passed() at " in error.where
    assert str(error).startswith("deadline 'request' of 2 s passed (2.5 s have gone by); it was")
    assert isinstance(error, TimeoutError)
    assert isinstance(error, seawall.SeawallError)
    seawall.deadline.check()


def test_no_deadline_nothing_to_check():
    """Without a deadline nothing passes."""
    seawall.deadline.check()
    assert seawall.remaining() is None


@pytest.mark.parametrize("seconds", [0, -1, -0.0, timedelta(seconds=-3)])
def test_time_that_is_over_already(seconds):
    """No time at all, or less, has passed when the block begins."""
    with seawall.deadline(seconds) as block:
        assert block.expired
        with pytest.raises(seawall.DeadlineExceededError):
            seawall.deadline.check()


@pytest.mark.parametrize(
    "wrong", ["5", None, True, float("nan"), float("inf"), 4e8, timedelta(days=4000), [1]]
)
def test_what_is_no_time(wrong):
    """What is no time, or too long, is refused where it is written."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.deadline(wrong)
    assert [problem.field for problem in caught.value.problems] == ["seconds"]


def test_a_timedelta(clock):
    """A timedelta is as good as a number of seconds."""
    with seawall.deadline(timedelta(minutes=1)):
        assert seawall.remaining() == 60.0


def test_a_late_result_is_returned(clock):
    """`with` interrupts nothing and raises nothing by itself: a late effect is not denied."""
    with seawall.deadline(1):
        clock.advance(5)
        result = "done"
    assert result == "done"


def test_one_object_one_block_at_a_time():
    """An object that is entered twice at once says so; entered again later it starts anew."""
    block = seawall.deadline(5, name="twice")
    with block:
        with pytest.raises(RuntimeError, match="make one for each block"), block:
            pass
        assert seawall.remaining() is not None
    with block:
        assert block.remaining() > 4.9
    assert seawall.remaining() is None
    assert repr(block) == "<deadline 'twice' of 5 s>"


def test_tasks_and_to_thread_inherit(clock):
    """Tasks started inside and `to_thread` are bounded, also after the block was left."""

    async def main():
        async def child():
            await asyncio.sleep(0)
            return seawall.remaining()

        with seawall.deadline(5):
            threaded = await asyncio.to_thread(seawall.remaining)
            task = asyncio.create_task(child())
        assert seawall.remaining() is None
        return threaded, await task

    assert asyncio.run(main()) == (5.0, 5.0)


def test_threads_do_not(clock):
    """A thread starts without the deadline of whoever starts it."""
    seen = []
    with seawall.deadline(5):
        thread = threading.Thread(target=lambda: seen.append(seawall.remaining()))
        thread.start()
        thread.join()
    assert seen == [None]


def test_nobody_looks_when_there_is_none():
    """After the last context with a deadline is gone, the variable is not looked at any more."""
    code = """
import contextvars, seawall
from seawall import _core
with seawall.deadline(5):
    context = contextvars.copy_context()
    (variable,) = [it for it in context if "seawall_deadline" in repr(it)]
assert context.run(seawall.remaining) is not None
# Of one that was set past the count only a look at the variable could tell.
variable.set(_core.Deadline(5))
assert seawall.remaining() is not None
del context
assert seawall.remaining() is None
"""
    assert child(code, "-W", "error") == (0, "", "")


def test_detached(clock):
    """Inside `detach` nothing is bounded, and what is started there inherits nothing."""

    async def child():
        return seawall.remaining()

    async def main():
        with seawall.deadline(5):
            with seawall.deadline.detach():
                assert seawall.remaining() is None
                task = asyncio.create_task(child())
                with seawall.deadline(9):
                    assert seawall.remaining() == 9.0
            async with seawall.deadline.detach():
                assert seawall.remaining() is None
            assert seawall.remaining() == 5.0
            return await task

    assert asyncio.run(main()) is None


def test_left_in_another_context():
    """A block that is left elsewhere than entered, as a generator's may be, does no harm there."""

    def generator():
        with seawall.deadline(5):
            yield seawall.remaining()

    context = contextvars.copy_context()
    steps = generator()
    assert context.run(next, steps) > 4.9
    with seawall.deadline(9):
        steps.close()
        assert seawall.remaining() > 8.9


def test_the_place_behind_an_exit_stack(clock):
    """Entered by an exit stack, a deadline names who used the stack."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(seawall.deadline(1))
        clock.advance(1)
        with pytest.raises(seawall.DeadlineExceededError) as caught:
            seawall.deadline.check()
    assert "test_the_place_behind_an_exit_stack" in caught.value.where
