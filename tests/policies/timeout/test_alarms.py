"""The wheel of a loop: one timer, none when idle, and nothing that outlives its loop."""

import asyncio
import contextvars
import gc
import os
import sys
import threading
import weakref

import pytest
import seawall
from seawall import _core

from tests import needs


def timers(loop):
    """The timers of an asyncio loop that will go off."""
    return [timer for timer in loop._scheduled if not timer.cancelled()]


async def bounded(seconds, work):
    """Work with a deadline; whether it came in time."""
    try:
        async with seawall.deadline(seconds):
            await work
    except seawall.DeadlineExceededError:
        return False
    return True


def test_one_timer_for_all():
    """However many alarms are set, the loop has one timer; when they are gone, soon none."""

    async def main():
        loop = asyncio.get_running_loop()
        event = asyncio.Event()
        tasks = [
            asyncio.create_task(bounded(0.2 + number / 10, event.wait())) for number in range(100)
        ]
        await asyncio.sleep(0)
        many = len(timers(loop))
        event.set()
        done = await asyncio.gather(*tasks)
        # Real time: the timer is the loop's, and goes off once more.
        await asyncio.sleep(0.3)
        return many, all(done), len(timers(loop))

    assert asyncio.run(main()) == (1, True, 0)


def test_an_earlier_one_moves_the_timer():
    """An alarm that is due before all others rings in time, and the others in theirs."""

    async def main():
        loop = asyncio.get_running_loop()
        late = asyncio.create_task(bounded(1, loop.create_future()))
        await asyncio.sleep(0)
        early = await bounded(0.005, loop.create_future())
        soon = not late.done()
        return early, soon, await late, len(timers(loop))

    early, soon, late, left = asyncio.run(main())
    assert (early, late, left) == (False, False, 0)
    assert soon


def test_the_timer_holds_nothing_of_the_task():
    """A timer that is left over keeps neither the task's context nor what is in it."""
    variable = contextvars.ContextVar("variable")

    class Value:
        pass

    async def main():
        value = Value()
        variable.set(value)
        async with seawall.deadline(60):
            pass
        return weakref.ref(value)

    loop = asyncio.new_event_loop()
    try:
        value = loop.run_until_complete(loop.create_task(main()))
        gc.collect()
        assert len(timers(loop)) == 1
        assert value() is None
    finally:
        loop.close()


@pytest.mark.parametrize("ended", [True, False])
def test_a_loop_can_die(ended):
    """A loop, with an alarm or without, is let go of as soon as nobody needs it."""

    async def main():
        async with seawall.deadline(60):
            if not ended:
                await asyncio.get_running_loop().create_future()

    def life():
        loop = asyncio.new_event_loop()
        task = loop.create_task(main())
        if ended:
            loop.run_until_complete(task)
        else:
            loop.run_until_complete(asyncio.sleep(0))
            task._log_destroy_pending = False
        loop.close()
        return weakref.ref(loop), weakref.ref(task)

    loop, task = life()
    gc.collect()
    assert (loop(), task()) == (None, None)


def test_one_loop_after_the_other():
    """Each loop has a wheel of its own, also one that takes a dead one's place in memory."""

    async def main():
        return await bounded(0.002, asyncio.get_running_loop().create_future())

    for _ in range(20):
        assert asyncio.run(main()) is False


def test_a_loop_that_runs_again():
    """An alarm that was set before a loop stopped rings when it runs again."""

    async def main():
        return await bounded(0.01, asyncio.get_running_loop().create_future())

    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(main())
        loop.run_until_complete(asyncio.sleep(0))
        assert loop.run_until_complete(task) is False
    finally:
        loop.close()


def test_loops_in_threads(loop_run):
    """Loops of several threads ring their own alarms."""
    results = []

    async def main():
        futures = [asyncio.get_running_loop().create_future() for _ in range(20)]
        results.extend(
            await asyncio.gather(
                *(bounded(0.001 * number, future) for number, future in enumerate(futures))
            )
        )

    threads = [threading.Thread(target=loop_run, args=(main,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [False] * 80


@needs.fork
def test_after_a_fork():
    """A forked child's loop has its deadlines, while the parent's still waits for its own."""

    async def child():
        return await bounded(0.005, asyncio.get_running_loop().create_future())

    async def main():
        parents = asyncio.create_task(bounded(0.05, asyncio.get_running_loop().create_future()))
        await asyncio.sleep(0)
        pid = os.fork()
        if pid == 0:
            asyncio.events._set_running_loop(None)
            with_new_loop = asyncio.new_event_loop()
            os._exit(0 if with_new_loop.run_until_complete(child()) is False else 1)
        _, status = os.waitpid(pid, 0)  # noqa: ASYNC222  the parent stands still on purpose
        return os.waitstatus_to_exitcode(status), await parents

    assert asyncio.run(main()) == (0, False)


def test_a_loop_with_a_time_of_its_own():
    """A loop whose clock has another origin rings as late as any other."""

    class Loop(asyncio.SelectorEventLoop):
        def time(self):
            return super().time() - 1e6

    async def main():
        loop = asyncio.get_running_loop()
        began = loop.time()
        done = await bounded(0.01, loop.create_future())
        return done, loop.time() - began

    loop = Loop()
    try:
        done, took = loop.run_until_complete(main())
    finally:
        loop.close()
    assert done is False
    assert 0.01 <= took < 1


def test_cancelling_that_fails(monkeypatch):
    """A task whose `cancel` raises is reported, and the others ring nevertheless."""

    class Stubborn(asyncio.Task):
        def cancel(self, msg=None):
            raise KeyError("no")

    async def main():
        loop = asyncio.get_running_loop()
        release = loop.create_future()
        stubborn = Stubborn(bounded(0.005, release), loop=loop)
        other = await bounded(0.006, loop.create_future())
        release.set_result(None)
        return other, await stubborn

    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: seen.append(told.exc_type))
    assert asyncio.run(main()) == (False, False)
    assert seen == [KeyError]


def test_an_alarm_thrown_away():
    """A coroutine that is closed inside of its block takes its alarm along."""

    async def main():
        async def work():
            async with seawall.deadline(0.005):
                await asyncio.get_running_loop().create_future()

        steps = work()
        steps.send(None)
        steps.close()
        # Real time: an alarm that was left would ring now.
        await asyncio.sleep(0.02)
        return asyncio.current_task().cancelling()

    assert asyncio.run(main()) == 0


def test_a_value_that_was_never_armed():
    """Settling without an alarm says that nothing rang."""
    assert _core.Deadline(1)._settle(None) == (0, None)
