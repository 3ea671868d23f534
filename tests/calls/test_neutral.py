"""What interrupts, closes or cancels a call says nothing about the callee."""

import asyncio
import concurrent.futures

import pytest
import seawall
import trio

from tests.children import printed


class Cancelled(concurrent.futures.CancelledError):
    """Somebody's own."""


class CancelledToo(asyncio.CancelledError, Exception):
    """Somebody's own, of both families."""


class Interrupted(KeyboardInterrupt):
    """Somebody's own."""


NEUTRAL = [
    KeyboardInterrupt,
    SystemExit,
    GeneratorExit,
    asyncio.CancelledError,
    concurrent.futures.CancelledError,
    Cancelled,
    CancelledToo,
    Interrupted,
    type("Own", (BaseException,), {}),
    lambda: BaseExceptionGroup("both", [KeyboardInterrupt(), ValueError()]),
]
RULES = {
    "streak": {"failure_threshold": 1},
    "rate": {"failure_rate": 0.01, "min_calls": 1},
    "time": {"failure_rate": 0.01, "min_calls": 1, "window": seawall.seconds(60)},
    "slow": {"failure_threshold": 1, "slow_call_rate": 0.01, "slow_call_duration": 1},
    "on everything": {"failure_threshold": 1, "on": lambda error: True},
}


def end_with(kind, make):
    """A function that ends that way."""

    def body():
        raise make()

    return kind.function(body)


@pytest.mark.parametrize("make", NEUTRAL, ids=range(len(NEUTRAL)))
@pytest.mark.parametrize("rules", RULES)
def test_never_counts(tally, kind, make, rules):
    """None of them opens a circuit, whatever its rules; they are counted as cancelled."""
    breaker = seawall.CircuitBreaker(**RULES[rules])
    protected = breaker(end_with(kind, make))
    for _ in range(5):
        with pytest.raises(type(make())):
            kind.finish(protected())
    assert breaker.state == "closed"
    assert tally(breaker) == {"cancelled": 5}


@pytest.mark.parametrize("make", NEUTRAL, ids=range(len(NEUTRAL)))
@pytest.mark.parametrize("probes", [1, 3])
def test_gives_the_probe_back(tally, kind, clock, make, probes):
    """A half-open circuit stays so, and its probe is free again, however often it happens."""
    breaker = seawall.CircuitBreaker(
        failure_threshold=1, open_duration=1, half_open_calls=probes, success_threshold=1
    )
    breaker.try_call(lambda: 1 / 0)
    clock.advance(1)
    protected = breaker(end_with(kind, make))
    for _ in range(10):
        with pytest.raises(type(make())):
            kind.finish(protected())
        assert breaker.state == "half_open"
    assert tally(breaker) == {"failure": 1, "cancelled": 10}
    assert breaker.call(int) == 0
    assert breaker.state == "closed"


def test_does_not_interrupt_a_streak(kind):
    """A cancelled call between two failures neither adds to a streak nor ends it."""
    breaker = seawall.CircuitBreaker(failure_threshold=2)
    for make in (ValueError, KeyboardInterrupt, ValueError):
        with pytest.raises(make):
            kind.finish(breaker(end_with(kind, make))())
    assert breaker.state == "open"


@pytest.mark.parametrize("end", ["close", "throw", "drop"])
def test_a_probe_that_is_closed_or_dropped(clock, pause, end):
    """A suspended probe that is closed, cancelled or dropped gives its place to the next."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, open_duration=1, half_open_calls=1)
    breaker.try_call(lambda: 1 / 0)
    clock.advance(1)

    @breaker
    async def function():
        await pause()

    probe = function()
    probe.send(None)
    with pytest.raises(seawall.CircuitOpenError, match="all of its probes are out"):
        function().send(None)
    match end:
        case "close":
            probe.close()
        case "throw":
            with pytest.raises(asyncio.CancelledError):
                probe.throw(asyncio.CancelledError())
    del probe
    assert breaker.state == "half_open"
    assert breaker.call(int) == 0
    assert breaker.state == "closed"


def test_a_slow_cancelled_call_is_slow(clock, pause):
    """Cancelled after longer than a call may take, it counts as slow: no black hole hides."""
    breaker = seawall.CircuitBreaker(slow_call_rate=1.0, slow_call_duration=2, min_calls=1)

    @breaker
    async def function():
        await pause()

    for seconds, state in ((1.9, "closed"), (2, "open")):
        coroutine = function()
        coroutine.send(None)
        clock.advance(seconds)
        with pytest.raises(asyncio.CancelledError):
            coroutine.throw(asyncio.CancelledError())
        assert breaker.state == state


def test_a_timeout_error_counts(kind, tally, patient):
    """A timeout that the function itself raises is a failure like any other."""
    with pytest.raises(TimeoutError):
        kind.finish(patient(end_with(kind, TimeoutError))())
    assert tally(patient) == {"failure": 1}


def test_ignored_is_not_cancelled(kind, tally):
    """`ignore` is its own outcome, and as neutral."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, ignore=LookupError)
    with pytest.raises(LookupError):
        kind.finish(breaker(end_with(kind, LookupError))())
    assert tally(breaker) == {"ignored": 1}
    assert breaker.state == "closed"


def test_concurrent_futures_need_not_be_loaded():
    """Failures are judged without importing what a program does not use."""
    program = """
        import sys, seawall
        breaker = seawall.CircuitBreaker("one", failure_threshold=1)
        assert type(breaker.try_call(lambda: 1 / 0).error) is ZeroDivisionError
        assert breaker.state == "open"
        print("concurrent.futures" in sys.modules or "asyncio" in sys.modules)
    """
    assert printed(program).split() == ["False"]


def test_ctrl_c_during_a_call():
    """Ctrl-C ends a running call as KeyboardInterrupt, uncounted."""
    program = """
        import os, signal, seawall
        breaker = seawall.CircuitBreaker("one", failure_threshold=1)

        @breaker
        def function():
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                pass

        try:
            function()
        except KeyboardInterrupt:
            print(breaker.state, breaker.snapshot().counts["cancelled"])
    """
    assert printed(program).split() == ["closed", "1"]


def test_trio_cancelled(tally, clock):
    """`trio.Cancelled` gives a probe back."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, open_duration=1, half_open_calls=1)
    breaker.try_call(lambda: 1 / 0)
    clock.advance(1)

    async def main():
        with trio.CancelScope() as scope:
            scope.cancel()
            await breaker.call(trio.sleep_forever)
        return scope.cancelled_caught

    assert trio.run(main)
    assert breaker.state == "half_open"
    assert tally(breaker) == {"failure": 1, "cancelled": 1}
