"""Who is at an async generator, and when: two at once, rests, probes."""

import contextlib

import pytest
import seawall

from tests.calls.async_generators.given import collect
from tests.calls.given import TroubleError, half_open


def test_two_at_once(items, patient, tally, finish):
    """Overlapping steps are refused as ever, and settle nothing."""
    generator = items()
    step = anext(generator)
    step.send(None)
    for ask, match in (
        (generator.__anext__, "anext"),
        (lambda: generator.asend(None), "anext"),
        (generator.aclose, "aclose"),
        (lambda: generator.athrow(TroubleError()), "athrow"),
    ):
        with pytest.raises(RuntimeError, match=rf"{match}\(\): asynchronous generator is already"):
            finish(ask())
    assert tally(patient) == {"in_flight": 1}
    with pytest.raises(StopIteration) as stop:
        step.send(None)
    assert stop.value.value == 1
    assert finish(collect(generator)) == [2, 3]
    assert tally(patient) == {"success": 1}


def test_it_cannot_come_back_into_itself(patient, tally, finish):
    """A step from inside is refused, and settles nothing."""

    @patient
    async def items():
        with pytest.raises(RuntimeError, match="already running"):
            await anext(generator)
        with pytest.raises(ValueError, match="already executing"):
            step.send(None)
        yield 1

    generator = items()
    step = anext(generator)
    assert finish(step) == 1
    assert finish(collect(generator)) == []
    assert tally(patient) == {"success": 1}


def test_a_listener_cannot_step_what_is_being_let_in(breaker, clock, finish):
    """A listener that is told of the admission finds the generator at work."""
    seen = []

    @breaker
    async def items():
        yield 1

    half_open(breaker, clock)
    generator = items()

    def listener(event):
        for ask in (generator.__anext__, generator.aclose):
            with pytest.raises(RuntimeError, match="already running") as error:
                finish(ask())
            seen.append(error)

    with seawall.subscribe(listener, kinds=["breaker.half_opened"]):
        assert finish(collect(generator)) == [1]
    assert len(seen) == 2


@pytest.mark.parametrize("ask", ["__anext__", "asend", "athrow", "aclose"])
def test_awaited_twice(items, finish, ask):
    """What was awaited can't be awaited again."""
    generator = items()
    finish(anext(generator))
    arguments = {"asend": [None], "athrow": [TroubleError()]}.get(ask, [])
    step = getattr(generator, ask)(*arguments)
    with contextlib.suppress(TroubleError):
        finish(step)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
        finish(step)


def test_consumers_time_does_not_count(clock, tally, finish, pause):
    """Only the time between asking for an item and getting it is the generator's, waits and all."""
    breaker = seawall.CircuitBreaker(
        slow_call_rate=1.0, slow_call_duration=10, min_calls=60_000, window=seawall.calls(60_000)
    )

    @breaker
    async def items(takes):
        for _ in range(3):
            await pause(takes)
            yield 1

    async def consume(takes, leave=None):
        generator = items(takes)
        async for _ in generator:
            await pause(100)
            if leave:
                break

    def run(awaitable):
        steps = awaitable.__await__()
        with contextlib.suppress(StopIteration):
            while True:
                clock.advance(steps.send(None))

    run(consume(3))
    assert tally(breaker) == {"success": 1}
    run(consume(4))
    run(consume(11, leave=1))
    assert tally(breaker) == {"success": 3, "slow": 2}


def test_a_probe_at_rest_or_waiting_has_nobody_inside(breaker, clock, finish, pause):
    """Calls made inside of a probe ride along; those of others, while it stands still, do not."""
    inside = []

    @breaker
    async def items():
        for _ in range(2):
            inside.append(breaker.call(int))
            await pause()
            inside.append(breaker.call(int))
            yield 1

    def outside():
        with pytest.raises(seawall.CircuitOpenError):
            breaker.call(int)

    half_open(breaker, clock)
    generator = items()
    for _ in range(2):
        step = anext(generator)
        step.send(None)
        outside()
        with pytest.raises(StopIteration):
            step.send(None)
        outside()
    assert inside == [0] * 4
    assert breaker.state == "half_open"
    finish(generator.aclose())
    assert breaker.state == "closed"


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_probe_given_up(breaker, clock, finish, pause, how):
    """A probe that is given up where it waits gives its place back."""

    @breaker
    async def items():
        await pause()
        yield 1

    half_open(breaker, clock)
    step = anext(items())
    step.send(None)
    if how == "close":
        step.close()
    del step
    assert breaker.state == "half_open"
    assert breaker.snapshot().in_flight == 0
    assert finish(collect(items())) == [1]
    assert breaker.state == "closed"
