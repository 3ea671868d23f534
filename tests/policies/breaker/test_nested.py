"""Calls inside of a probe, of the same circuit: they are part of it."""

import asyncio
import contextlib
import contextvars

import pytest
import seawall


@pytest.fixture
def breaker(clock):
    """A breaker that is due, for one probe at a time."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, open_duration=30, half_open_calls=1)
    with pytest.raises(OSError, match="down"):
        breaker.call(fail)
    clock.advance(30)
    return breaker


def fail():
    """Raises."""
    raise OSError("down")


def test_a_call_inside_a_probe_is_part_of_it(breaker):
    """Both functions share a breaker; with one permit the outer probe is decided all the same."""

    @breaker
    def one():
        return 1

    @breaker
    def both():
        return one() + one() + breaker.call(one)

    assert both() == 3
    assert breaker.state == "closed"


def test_what_happens_inside_decides_nothing(breaker):
    """The probe's own end decides: a failure inside, which it deals with, does not."""

    @breaker
    def careful():
        with pytest.raises(OSError, match="down"):
            breaker.call(fail)
        assert breaker.state == "half_open"

    careful()
    assert breaker.state == "closed"


def test_after_the_probe_nobody_rides(breaker):
    """Once a probe has ended, the next call of the same thread is a probe of its own."""
    ended = []

    @breaker
    def probe():
        ended.append(1)
        raise ignored

    ignored = KeyboardInterrupt()
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            probe()
    assert (len(ended), breaker.state) == (3, "half_open")


def test_tasks_inside_ride_and_tasks_outside_do_not(breaker):
    """What a probe starts is part of it, in tasks and threads too; other tasks are refused."""

    @breaker
    async def one():
        await asyncio.sleep(0)
        return 1

    @breaker
    def in_a_thread():
        return 1

    @breaker
    async def both(inside, go):
        inside.set()
        await go.wait()
        return await one() + sum(await asyncio.gather(one(), asyncio.to_thread(in_a_thread)))

    async def main():
        inside, go = asyncio.Event(), asyncio.Event()
        probe = asyncio.create_task(both(inside, go))
        await inside.wait()
        with pytest.raises(seawall.CircuitOpenError):
            await one()
        go.set()
        return await probe

    assert asyncio.run(main()) == 3
    assert breaker.state == "closed"


def test_a_suspended_probe_is_not_around_its_stepper(breaker):
    """Who steps a coroutine by hand is not inside of it while it is suspended."""

    class Pause:
        def __await__(self):
            yield

    @breaker
    async def slow():
        await Pause()
        return breaker.call(lambda: 1)

    probe = slow()
    probe.send(None)
    with pytest.raises(seawall.CircuitOpenError):
        breaker.call(int)
    with pytest.raises(StopIteration) as end:
        probe.send(None)
    assert (end.value.value, breaker.state) == (1, "closed")


def test_adopted_awaitables(breaker):
    """What a plain function gives to await is inside of the probe; who made it is not."""

    @breaker
    async def one():
        return 1

    async def inner():
        await asyncio.sleep(0)
        return await one()

    @breaker
    def both():
        return inner()

    async def main():
        probe = both()
        for call in (both, lambda: breaker.call(int)):
            with pytest.raises(seawall.CircuitOpenError):
                call()
        return await probe

    assert asyncio.run(main()) == 1
    assert breaker.state == "closed"


def test_futures(breaker):
    """A future that a probe gave back does not let its maker's next call in."""

    async def main():
        loop = asyncio.get_running_loop()
        future = breaker.call(loop.create_future)
        with pytest.raises(seawall.CircuitOpenError):
            breaker.call(int)
        future.set_result(1)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert breaker.state == "closed"


def test_who_gave_a_place_back_has_nobody_inside(clock):
    """A place given back and taken again, in one instant: calls inside the first ride no more."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, half_open_calls=1, success_threshold=9)
    with pytest.raises(OSError, match="down"):
        breaker.call(fail)
    clock.advance(31)
    first, second = (contextvars.copy_context() for _ in range(2))
    entered = contextlib.ExitStack()
    first.run(entered.enter_context, breaker)
    second.run(entered.close)
    again = contextlib.ExitStack()
    second.run(again.enter_context, breaker)
    assert not first.run(breaker.try_call, int).ok
    assert second.run(breaker.try_call, int).ok
    again.close()
    assert breaker.state == "half_open"
