"""A registry of one's own, and recordings."""

import asyncio
import contextvars
import threading

import pytest
import seawall
from seawall import registry, testing


def test_names_are_free_again():
    """A name taken inside is taken inside only, and one from outside is free there."""
    with testing.isolated():
        outer = seawall.CircuitBreaker("shop", failure_threshold=1)
        with testing.isolated():
            assert registry.policies() == []
            inner = seawall.CircuitBreaker("shop", failure_threshold=2)
            assert registry.policies() == [inner]
        assert registry.policies() == [outer]


def test_each_context_has_its_own():
    """Tasks side by side, each isolated, don't meet; a thread outside sees none of it."""

    async def work(threshold):
        with testing.isolated():
            breaker = seawall.CircuitBreaker("isolated-shop", failure_threshold=threshold)
            await asyncio.sleep(0)
            return registry.get("breaker", "isolated-shop") is breaker

    async def main():
        return await asyncio.gather(*(work(number) for number in range(1, 5)))

    assert asyncio.run(main()) == [True] * 4
    with testing.isolated():
        seawall.CircuitBreaker("isolated-shop")
        seen = []
        thread = threading.Thread(
            target=contextvars.Context().run,
            args=(lambda: seen.append(registry.get("breaker", "isolated-shop")),),
        )
        thread.start()
        thread.join(30)
    assert seen == [None]


@pytest.mark.parametrize("make", [testing.isolated, testing.record, lambda: testing.seed(7)])
def test_one_of_each_in_several_threads(make):
    """Threads that enter one isolation, recording or seed leave it in whatever order."""
    one = make()
    entered, leave = threading.Barrier(2), threading.Event()
    problems = []

    def work():
        try:
            with one:
                entered.wait(30)
                leave.wait(30)
        except Exception as error:
            problems.append(error)

    thread = threading.Thread(target=work)
    with one:
        thread.start()
        entered.wait(30)
    leave.set()
    thread.join(30)
    assert problems == []


def test_recordings_nest():
    """Each recording hears what is told while it is on, in the order it is told."""
    with testing.isolated(), testing.record() as outer:
        breaker = seawall.CircuitBreaker("shop")
        breaker.force_open()
        with testing.record() as inner:
            breaker.reset()
        breaker.disable()
    breaker.reset()
    assert outer.kinds == ["breaker.forced_open", "breaker.reset", "breaker.disabled"]
    assert inner.kinds == ["breaker.reset"]
    assert list(outer) == outer
    assert [event.seq for event in outer] == [2, 3, 4]


def test_a_recording_that_goes_on():
    """Entered again, a recording adds to what it has."""
    with testing.isolated():
        breaker = seawall.CircuitBreaker("shop")
        told = testing.record()
        with told:
            breaker.force_open()
        breaker.disable()
        with told:
            breaker.reset()
    assert told.kinds == ["breaker.forced_open", "breaker.reset"]


@pytest.mark.parametrize("make", [testing.isolated, testing.record])
def test_left_more_often_than_entered(make):
    """Leaving what was not entered is a mistake that is told as one."""
    with pytest.raises(RuntimeError, match="not entered"):
        make().__exit__(None, None, None)
