"""Time that moves by itself when everything waits for it."""

import asyncio
import contextlib
import contextvars
import queue
import random
import threading
import time

import anyio
import pytest
import seawall
from seawall import testing, waiting


def start(function, *args):
    """A thread in a copy of this context."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(function, *args))
    thread.start()
    return thread


def retry_like(sleep, clock, breaker, up_at):
    """What a retry does, written by hand: calls, backs off, gives up after an hour."""
    chance, log = random.Random(7), []
    delay = 0.1
    while clock.elapsed < 3600:
        outcome = breaker.try_call(lambda: 1 // (clock.elapsed >= up_at))
        log.append((clock.elapsed, outcome.ok, breaker.state))
        delay = 40 if outcome.ok else min(60, delay * 1.5)
        yield sleep(delay * chance.uniform(0.5, 1))
    log.append((clock.elapsed, breaker.state))
    yield log


def an_hour(clock):
    """The plot of an hour's outage."""
    breaker = seawall.CircuitBreaker(failure_threshold=3, open_duration=30)
    return breaker, 2700


def test_an_hour_of_a_lone_thread():
    """A lone thread's sleeps are jumped at once: an hour's outage plays the same each time."""

    def play():
        with testing.isolated(), testing.clock(autojump=True) as clock:
            *_, log = retry_like(waiting.sleep, clock, *an_hour(clock))
        return log

    begun = time.monotonic()
    first = play()
    assert len(first) > 60
    assert first[-1] == (pytest.approx(3600, abs=60), "closed")
    assert [play() for _ in range(9)] == [first] * 9
    assert time.monotonic() - begun < 2


def test_an_hour_of_tasks(run):
    """Several tasks play an hour with one clock, the same on ten runs, in no time."""

    async def one(clock):
        for step in retry_like(waiting.asleep, clock, *an_hour(clock)):
            if isinstance(step, list):
                return step
            await step
        return None

    async def main():
        got = {}

        async def keep(name):
            got[name] = await one(clock)
            got[name].append(clock.elapsed)

        with testing.isolated(), testing.clock(autojump=True) as clock:
            async with anyio.create_task_group() as group:
                for name in range(3):
                    group.start_soon(keep, name)
        return got

    begun = time.monotonic()
    first = run(main)
    assert time.monotonic() - begun < 1
    assert len(first[0]) > 60
    assert [run(main) for _ in range(9)] == [first] * 9


def test_certain_jumps_take_no_grace(run):
    """Where it is certain that all waits, no real time passes, whatever the grace."""

    async def main():
        with testing.clock(autojump=True, grace=20) as clock:
            await waiting.asleep(1)
            if run.__name__ == "on_trio":
                async with anyio.create_task_group() as group:
                    group.start_soon(waiting.asleep, 2)
                    group.start_soon(waiting.asleep, 3)
            else:
                sleeps = waiting.asleep(2), asyncio.create_task(waiting.asleep(3))
                await asyncio.gather(*sleeps)
            return clock.elapsed

    begun = time.monotonic()
    assert run(main) == 4.0
    assert time.monotonic() - begun < 15


def test_who_computes_is_not_overtaken(run):
    """A task that has its turns, as many as it wants, is waited for."""

    async def main():
        log = []

        async def busy():
            for _ in range(500):
                await anyio.lowlevel.checkpoint()
            log.append(("busy", clock.elapsed))
            await waiting.asleep(1)
            log.append(("rested", clock.elapsed))

        with testing.clock(autojump=True) as clock:
            async with anyio.create_task_group() as group:
                group.start_soon(busy)
                await waiting.asleep(5)
                log.append(("main", clock.elapsed))
        return log

    assert run(main) == [("busy", 0.0), ("rested", 1.0), ("main", 5.0)]


def test_tasks_that_hand_things_on(run):
    """What goes from task to task by events and queues is done before time moves."""

    async def main():
        log = []
        send, receive = anyio.create_memory_object_stream(1)

        async def consume():
            async for item in receive:
                log.append((item, clock.elapsed))
                await anyio.lowlevel.checkpoint()

        with testing.clock(autojump=True) as clock:
            async with anyio.create_task_group() as group:
                group.start_soon(consume)
                async with send:
                    for item in range(4):
                        await waiting.asleep(10)
                        await send.send(item)
                        await send.send(-item)
        receive.close()
        return log

    expected = [(sign * item, 10.0 * (item + 1)) for item in range(4) for sign in (1, -1)]
    assert run(main) == expected


def test_real_io_has_the_grace(run):
    """A reply that comes within the grace of real time comes before the next jump."""

    async def main():
        log = []

        async def serve(stream):
            async with stream:
                await stream.receive()
                await stream.send(b"pong")

        with testing.clock(autojump=True, grace=0.3) as clock:
            async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
                port = listener.extra(anyio.abc.SocketAttribute.local_port)

                async def ask():
                    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                        await stream.send(b"ping")
                        log.append((await stream.receive(), clock.elapsed))

                async with anyio.create_task_group() as group:
                    group.start_soon(listener.serve, serve)
                    group.start_soon(ask)
                    await waiting.asleep(60)
                    log.append(clock.elapsed)
                    group.cancel_scope.cancel()
        return log

    assert run(main) == [(b"pong", 0.0), 60.0]


def test_a_worker_of_real_time_has_the_grace(run):
    """So does a thread that a task waits for."""

    async def main():
        log = []

        async def work():
            await anyio.to_thread.run_sync(time.sleep, 0.02)
            log.append(("worked", clock.elapsed))

        # Long enough for a thread to begin on a machine that is busy.
        with testing.clock(autojump=True, grace=1) as clock:
            async with anyio.create_task_group() as group:
                group.start_soon(work)
                await waiting.asleep(60)
                log.append(("slept", clock.elapsed))
        return log

    assert run(main) == [("worked", 0.0), ("slept", 60.0)]


def test_calls_drive_it_as_sleeps_do(run):
    """A timeout's call, with nobody asleep, is a time to jump to."""

    async def main():
        rung = anyio.Event()
        with testing.clock(autojump=True) as clock:
            clock._call_at(clock._now + 5_000_000_000, rung.set)
            await rung.wait()
            return clock.elapsed

    assert run(main) == 5.0


def test_two_clocks_side_by_side(run):
    """Tasks of one loop with clocks of their own jump each by its own."""

    async def main():
        log = []

        async def own(name, nap):
            with testing.clock(autojump=True) as clock:
                for _ in range(20):
                    await waiting.asleep(nap)
                log.append((name, clock.elapsed))

        async with anyio.create_task_group() as group:
            group.start_soon(own, "a", 3)
            group.start_soon(own, "b", 5)
        return sorted(log)

    assert run(main) == [("a", 60.0), ("b", 100.0)]


def threads_of(clock, *plans):
    """What threads with these naps do, and when, in order."""
    log = []

    def work(name, naps):
        for nap in naps:
            waiting.sleep(nap)
            log.append((name, clock.elapsed))

    threads = [start(work, name, naps) for name, naps in plans]
    for thread in threads:
        thread.join(30)
    return log


def test_threads_jump_together():
    """Time goes on when all threads that take part wait, the one that joins them included."""

    def play():
        with testing.clock(autojump=True) as clock:
            return threads_of(clock, ("a", [2] * 4), ("b", [3.5] * 2), ("c", [1, 10]))

    expected = [
        ("c", 1.0), ("a", 2.0), ("b", 3.5), ("a", 4.0), ("a", 6.0), ("b", 7.0), ("a", 8.0),
        ("c", 11.0),
    ]  # fmt: skip
    assert [play() for _ in range(3)] == [expected] * 3


def test_threads_that_all_sleep_need_no_grace():
    """When each thread that takes part sleeps by the clock, all is known: nothing is waited for."""
    ready = threading.Barrier(2)
    log = []

    def other():
        ready.wait(30)
        for _ in range(50):
            waiting.sleep(2)
            log.append(("other", clock.elapsed))
        with contextlib.suppress(testing.ClockStoppedError):
            waiting.sleep(1000)

    begun = time.monotonic()
    with testing.clock(autojump=True, grace=10) as clock:
        thread = start(other)
        ready.wait(30)
        for _ in range(100):
            waiting.sleep(1.5)
            log.append(("main", clock.elapsed))
        waiting.sleep(10)
        assert clock.sleeping == 1
    thread.join(30)
    assert time.monotonic() - begun < 8
    assert [at for _, at in log] == sorted(at for _, at in log)
    assert len(log) == 150


def test_a_thread_that_waits_for_another_is_known_by_the_grace():
    """A thread blocked in a queue does not hold time up; what it is handed, it does in time."""
    log, handed = [], queue.Queue()

    def consume():
        while (item := handed.get()) is not None:
            log.append((item, clock.elapsed))
            waiting.sleep(1)

    def produce():
        for item in range(3):
            waiting.sleep(10)
            handed.put(item)
        handed.put(None)

    with testing.clock(autojump=True) as clock:
        threads = [start(consume), start(produce)]
        for thread in threads:
            thread.join(30)
        assert clock.elapsed == 31.0
    assert log == [(0, 10.0), (1, 20.0), (2, 30.0)]


def test_moved_by_hand_as_well(run):
    """`aadvance` has the clock to itself: nothing jumps ahead of it."""

    async def main():
        log = []

        async def work():
            for _ in range(5):
                await waiting.asleep(10)
                log.append(clock.elapsed)

        with testing.clock(autojump=True) as clock:
            async with anyio.create_task_group() as group:
                group.start_soon(work)
                await clock.aadvance(25)
                assert log == [10.0, 20.0]
                assert clock.elapsed == 25.0
        return log

    assert run(main) == [10.0, 20.0, 30.0, 40.0, 50.0]


def test_a_cancelled_sleep_is_not_jumped_to(run):
    """Time goes to the next wake-up that is still wanted, and nothing is left of the others."""

    async def main():
        with testing.clock(autojump=True) as clock:
            async with anyio.create_task_group() as group:

                async def impatient():
                    with anyio.CancelScope() as scope:
                        group.start_soon(end, scope)
                        await waiting.asleep(1000)

                async def end(scope):
                    await waiting.asleep(5)
                    scope.cancel()

                group.start_soon(impatient)
            assert (clock.sleeping, clock._calls) == (0, 0)
            return clock.elapsed

    assert run(main) == 5.0


def test_a_thousand_callers_at_once(run):
    """A thousand tasks that back off side by side are a matter of a moment."""

    async def main():
        async def call(number):
            for attempt in range(3):
                await waiting.asleep(2**attempt + number % 10)

        with testing.clock(autojump=True) as clock:
            async with anyio.create_task_group() as group:
                for number in range(1000):
                    group.start_soon(call, number)
            return clock.elapsed

    begun = time.monotonic()
    assert run(main) == 34.0
    assert time.monotonic() - begun < 20


def test_a_pools_thread_without_work_holds_up_nobody():
    """It is at nothing: time moves at once, and need not be inactive for the grace."""
    begun = time.monotonic()
    with testing.isolated(), testing.clock(autojump=True, grace=30) as clock:
        limited = seawall.timeout(5, name="pool", pool="threads")(waiting.sleep)
        for _ in range(3):
            limited(1)
            waiting.sleep(1)
        assert clock.elapsed == 6.0
    assert time.monotonic() - begun < 20
