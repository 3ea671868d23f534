"""Sleeping by a test's clock that is moved by hand: threads, and tasks of every host."""

import _thread
import asyncio
import contextvars
import os
import signal
import threading
from datetime import timedelta

import anyio
import pytest
import seawall
from seawall import testing, waiting

from tests import needs
from tests.children import printed
from tests.threads import until


def start(function, *args):
    """A thread in a copy of this context."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(function, *args))
    thread.start()
    return thread


def test_a_thread_wakes_when_its_time_has_come():
    """A sleeping thread goes on when another has moved the clock so far, not earlier."""
    woke = []
    with testing.clock() as clock:
        thread = start(lambda: (waiting.sleep(10), woke.append(clock.elapsed)))
        until(lambda: clock.sleeping == 1)
        clock.advance(9.999)
        assert woke == []
        clock.advance(0.001)
        thread.join(10)
        assert woke == [10.0]
        assert (clock.sleeping, clock._calls) == (0, 0)


def test_threads_go_on_at_their_own_times():
    """One long move wakes each thread with the clock at its time, also for what it does next."""
    log = []

    def work(name, *naps):
        for nap in naps:
            waiting.sleep(nap)
            log.append((name, clock.elapsed))

    with testing.clock() as clock:
        threads = [start(work, "a", 1, 1, 5), start(work, "b", 3, 1), start(work, "c", 2, 2.5)]
        until(lambda: clock.sleeping == 3)
        clock.advance(60)
        for thread in threads:
            thread.join(10)
        assert clock.elapsed == 60.0
    assert log == [
        ("a", 1.0), ("c", 2.0), ("a", 2.0), ("b", 3.0), ("b", 4.0), ("c", 4.5), ("a", 7.0)
    ]  # fmt: skip


def test_a_thread_that_threading_did_not_start():
    """A thread of C's, say, sleeps and ends like any other, and the move is not held up."""
    woke = []
    with testing.clock() as clock:
        context = contextvars.copy_context()
        _thread.start_new_thread(context.run, (lambda: woke.append(waiting.sleep(5)),))
        until(lambda: clock.sleeping == 1)
        clock.advance(10)
        until(lambda: woke)
    assert woke == [None]


def test_nobody_is_there_to_move_it():
    """A lone thread that sleeps by a clock which only it could move gets an error, and no hang."""
    with testing.clock() as clock:
        with pytest.raises(testing.ClockStoppedError, match="autojump=True"):
            waiting.sleep(1)
        assert (clock.sleeping, clock._calls, clock.elapsed) == (0, 0, 0.0)


def test_a_clock_that_is_left_ends_every_sleep(run):
    """Those still asleep when the last has left the clock get an error; so does who comes later."""
    got = []

    async def sleep():
        try:
            await waiting.asleep(10)
        except testing.ClockStoppedError as error:
            got.append(str(error))

    async def main():
        async with anyio.create_task_group() as group:
            with testing.clock() as clock:
                thread = start(blocked)
                group.start_soon(sleep)
                await clock.aadvance(1)
                until(lambda: clock.sleeping == 2)
            with pytest.raises(testing.ClockStoppedError):
                clock.sleep(1)
            with pytest.raises(testing.ClockStoppedError):
                await clock.asleep(1)
        thread.join(10)
        return clock

    def blocked():
        try:
            waiting.sleep(10)
        except testing.ClockStoppedError as error:
            got.append(str(error))

    clock = run(main)
    assert len(got) == 2
    assert "was left" in got[0]
    assert (clock.sleeping, clock._calls) == (0, 0)


def test_a_clock_that_another_is_still_in_goes_on():
    """One of two that entered a clock leaves it: the other's sleep goes on."""
    clock, woke, leave = testing.clock(), [], threading.Event()

    def work():
        with clock:
            waiting.sleep(5)
            woke.append(clock.elapsed)

    thread = threading.Thread(target=work)
    with clock:
        thread.start()
        until(lambda: clock.sleeping == 1)
    leave.set()
    clock.advance(5)
    thread.join(10)
    assert woke == [5.0]


def test_tasks_go_on_at_their_own_times(run):
    """`aadvance` lets each task go on at its time, up to and including its end."""
    log = []

    async def work(name, *naps):
        for nap in naps:
            await waiting.asleep(nap)
            log.append((name, clock.elapsed))

    async def main():
        nonlocal clock
        with testing.clock() as clock:
            async with anyio.create_task_group() as group:
                group.start_soon(work, "a", 1, 1.25, 5)
                group.start_soon(work, "b", 3, 1)
                group.start_soon(work, "c", 2, 2.5)
                await clock.aadvance(4.5)
                half = log.copy()
                await clock.aadvance(60)
            assert (clock.sleeping, clock._calls, clock.elapsed) == (0, 0, 64.5)
        return half

    clock = None
    assert run(main) == [
        ("a", 1.0), ("c", 2.0), ("a", 2.25), ("b", 3.0), ("b", 4.0), ("c", 4.5)
    ]  # fmt: skip
    assert log[6:] == [("a", 7.25)]


def test_those_of_one_time_wake_in_the_order_they_lay_down(run):
    """Who went to sleep first wakes first, on every host, each time."""

    async def main():
        log = []

        async def work(name):
            await waiting.asleep(10 - name)
            await waiting.asleep(name)
            log.append(name)

        with testing.clock() as clock:
            async with anyio.create_task_group() as group:
                for name in range(1, 9):
                    group.start_soon(work, name)
                await clock.aadvance(10)
        return log

    assert [run(main) for _ in range(5)] == [[8, 7, 6, 5, 4, 3, 2, 1]] * 5


def test_a_plain_move_wakes_tasks_at_its_end(run):
    """`advance` in a task can't let others run: they go on afterwards, at the time it is then."""

    async def main():
        log = []

        async def work(seconds):
            await waiting.asleep(seconds)
            log.append((seconds, clock.elapsed))

        with testing.clock() as clock:
            async with anyio.create_task_group() as group:
                group.start_soon(work, 1)
                await anyio.wait_all_tasks_blocked()
                clock.advance(5)
                assert log == []
        return log

    assert run(main) == [(1, 5.0)]


def test_a_loop_in_another_thread(run):
    """Tasks of a loop in another thread go on at their own times too, while the move waits."""
    log = []

    async def work(seconds):
        await waiting.asleep(seconds)
        log.append(clock.elapsed)
        await waiting.asleep(seconds)
        log.append(clock.elapsed)

    async def main():
        async with anyio.create_task_group() as group:
            group.start_soon(work, 1)
            group.start_soon(work, 5)

    with testing.clock() as clock:
        thread = start(run, main)
        until(lambda: clock.sleeping == 2)
        clock.advance(60)
        thread.join(10)
    assert log == [1.0, 2.0, 5.0, 10.0]


def test_a_cancelled_sleep_leaves_nothing_behind(run):
    """A task that is cancelled while asleep, or in the moment it wakes, is off the list."""

    async def main():
        with testing.clock() as clock:
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(waiting.asleep, 10)
                await clock.aadvance(1)
                assert (clock.sleeping, clock._calls) == (10, 10)
                group.cancel_scope.cancel()
            assert (clock.sleeping, clock._calls) == (0, 0)
            async with anyio.create_task_group() as group:
                group.start_soon(waiting.asleep, 10)
                await clock.aadvance(1)
                clock.advance(9)
                group.cancel_scope.cancel()
            assert (clock.sleeping, clock._calls) == (0, 0)
            return clock.elapsed

    assert run(main) == 11.0


def test_a_loop_that_is_closed_over_a_sleep(loop_run):
    """A loop that ends with tasks asleep takes them off; moving the clock then wakes nobody."""

    async def main():
        asyncio.get_running_loop().create_task(waiting.asleep(10))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert clock.sleeping == 1

    with testing.clock() as clock:
        loop_run(main)
        assert (clock.sleeping, clock._calls) == (0, 0)
        clock.advance(20)


def test_an_interrupt_ends_a_sleep():
    """Ctrl-C ends the sleep of a thread by a test's clock, and leaves nothing behind."""

    def interrupt():
        until(lambda: clock.sleeping == 1)
        os.kill(os.getpid(), signal.SIGINT)

    with testing.clock() as clock:
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            waiting.sleep(10)
        thread.join(10)
        assert (clock.sleeping, clock._calls) == (0, 0)


@needs.fork
def test_a_forked_child_sleeps_on():
    """A child that was forked while another thread held the clock's lock has one that is free."""
    code = """
import os, threading
from seawall import testing, waiting
with testing.clock(autojump=True) as clock:
    held, leave = threading.Event(), threading.Event()
    def hold():
        with clock._company.change:
            held.set()
            leave.wait(30)
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    child = os.fork()
    if not child:
        waiting.sleep(5)
        os._exit(7 if clock.elapsed == 5.0 else 1)
    leave.set()
    thread.join()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert printed(code) == "7"


def test_a_blocking_sleep_on_a_loop_warns_and_jumps(run):
    """Under a clock as well a blocked loop is told of; nobody else has a turn meanwhile."""

    async def main():
        with testing.clock(autojump=True) as clock:
            with pytest.warns(seawall.BlockingWaitWarning):
                waiting.sleep(5)
            return clock.elapsed

    assert run(main) == 5.0


def test_other_contexts_sleep_for_real():
    """A thread without the clock sleeps by the machine's."""
    with testing.clock() as clock:
        thread = threading.Thread(target=contextvars.Context().run, args=(waiting.sleep, 0.01))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert clock.elapsed == 0.0


@pytest.mark.parametrize("nothing", [0, 0.0, timedelta(0)])
def test_no_time_is_a_turn_for_others(run, nothing):
    """A sleep of no time needs nobody to move the clock, and lets the others have a turn."""

    async def main():
        order = []
        with testing.clock() as clock:
            clock.sleep(nothing)
            async with anyio.create_task_group() as group:
                group.start_soon(clock.asleep, nothing)

                async def other():
                    order.append("other")

                group.start_soon(other)
                await clock.asleep(nothing)
                await clock.asleep(nothing)
                order.append("main")
        return order

    assert run(main) == ["other", "main"]


def test_times_that_do_not_fit():
    """Sleeps by the clock refuse what its moves refuse."""
    with testing.clock(autojump=True) as clock:
        for seconds in (1e9, float("inf"), timedelta.max, -1, float("nan")):
            with pytest.raises(ValueError):  # noqa: PT011  the message of nan is Python's
                clock.sleep(seconds)
        assert (clock.sleeping, clock._calls) == (0, 0)


@pytest.mark.parametrize("grace", [0, -1, 60, float("nan"), timedelta(0)])
def test_a_grace_that_is_none(grace):
    """A grace is some real time, and less than a minute."""
    with pytest.raises(ValueError, match="grace must be"):
        testing.clock(grace=grace)
