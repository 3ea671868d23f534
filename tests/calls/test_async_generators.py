"""Async generator functions: let in at the first item awaited, settled when no more will come."""

import asyncio
import collections.abc
import contextlib
import gc
import inspect
import sys
import weakref

import pytest
import seawall

GIVEN = [1, 2, 3]


class TroubleError(Exception):
    """A failure."""


@pytest.fixture
def items(patient, pause):
    """A protected async generator function that waits for each item, and tells what it is sent."""

    @patient
    async def items(*values, told=None):
        told = [] if told is None else told
        try:
            for value in values or GIVEN:
                await pause()
                told.append((yield value))
        finally:
            told.append("finally")

    return items


async def collect(generator):
    """All its items."""
    return [item async for item in generator]


def test_items_and_the_end(items, patient, tally, finish):
    """Items come through, and the end is a success."""
    assert finish(collect(items())) == GIVEN
    assert tally(patient) == {"success": 1}


def test_items_of_all_sorts(patient, finish):
    """Tuples, exceptions and None are items like any other."""
    given = [None, (1, 2), (), TroubleError(), StopIteration(7), 0]

    @patient
    async def items():
        for item in given:
            yield item

    assert finish(collect(items())) == given


def test_sent_values_arrive(items, finish):
    """What is sent is what `yield` gives."""
    told = []

    async def main():
        generator = items(told=told)
        return [await anext(generator), await generator.asend("a"), await generator.asend("b")]

    assert finish(main()) == GIVEN
    assert told == ["a", "b", "finally"]


def test_anext_and_its_default(items, finish):
    """`anext` with and without a default."""

    async def main():
        generator = items(1)
        got = [await anext(generator), await anext(generator, "none"), await anext(generator, 7)]
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        return got

    assert finish(main()) == [1, "none", 7]


def test_nothing_is_asked_before_the_first_item(items, patient, tally, finish):
    """Made, closed, dropped or thrown into before the first item, it never took anything."""
    patient.force_open()

    async def main():
        await items().aclose()
        with pytest.raises(TroubleError):
            await items().athrow(TroubleError())
        generator = items()
        with pytest.raises(TypeError, match="can't send non-None value to a just-started async"):
            await generator.asend(1)
        items()
        step = anext(items())
        step.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
            await step
        return generator

    generator = finish(main())
    assert tally(patient) == {}
    patient.reset()
    assert finish(collect(generator)) == GIVEN
    assert tally(patient) == {"success": 1}


def test_made_and_not_awaited(items, patient, tally):
    """What is asked for and never awaited asks nobody; Python says so from 3.13 on."""
    generator = items()
    warns = (
        pytest.warns(RuntimeWarning, match="'asend' of 'items.*items' was never awaited")
        if sys.version_info >= (3, 13)
        else contextlib.nullcontext()
    )
    with warns:
        generator.__anext__()
    assert tally(patient) == {}


def test_refused_at_the_first_item(patient, tally, finish):
    """An open circuit refuses at the first item; the generator is over."""

    class Argument:
        """Something to hold."""

    @patient
    async def items(argument):
        yield argument

    argument = Argument()
    watch = weakref.ref(argument)
    generator = items(argument)
    del argument
    patient.force_open()

    async def main(generator):
        with pytest.raises(seawall.CircuitOpenError):
            await anext(generator)
        patient.reset()
        assert await collect(generator) == []
        assert await generator.aclose() is None
        assert await generator.athrow(TroubleError()) is None
        assert await anext(generator, 7) == 7

    finish(main(generator))
    assert generator.ag_frame is None
    assert tally(patient) in ({}, {"rejected": 1})
    del generator
    gc.collect()
    assert watch() is None


@pytest.mark.parametrize("ask", ["athrow", "aclose"])
@pytest.mark.parametrize("give_up", ["close", "send", "throw", "await"])
def test_asked_before_the_refusal(patient, items, tally, finish, ask, give_up):
    """What was asked before the first item was refused comes to nothing, however it is ended."""
    patient.force_open()
    generator = items()
    later = generator.aclose() if ask == "aclose" else generator.athrow(TroubleError)
    other = generator.aclose()
    with pytest.raises(seawall.CircuitOpenError):
        finish(generator.__anext__())
    if give_up == "close":
        assert later.close() is None
    elif give_up == "await":
        assert finish(later) is None
    else:
        step = later.send if give_up == "send" else later.throw
        with pytest.raises(StopIteration):
            step(None if give_up == "send" else TroubleError())
    assert later.close() is None
    with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
        later.send(None)
    assert other.close() is None
    assert tally(patient) == {"rejected": 1}


def test_asked_before_the_first_item_and_given_up(items, patient, tally, finish):
    """A closing and a throwing that were asked for and given up settle nothing twice."""
    generator = items()
    closes, throws, first = (
        generator.aclose(),
        generator.athrow(TroubleError),
        generator.__anext__(),
    )
    assert finish(first) == 1
    assert throws.close() is None
    assert closes.close() is None
    finish(generator.aclose())
    assert tally(patient) == {"success": 1}


def test_a_refused_one_never_reaches_the_hooks(patient, finish):
    """The event loop hears of generators that have begun, and of no others."""

    @patient
    async def items():
        yield 1

    met = []

    async def main():
        sys.set_asyncgen_hooks(firstiter=met.append)
        generator = items()
        with pytest.raises(seawall.CircuitOpenError):
            await anext(generator)
        async with contextlib.aclosing(generator):
            assert await collect(generator) == []
        assert met == []
        patient.reset()
        assert await collect(items()) == [1]

    hooks = sys.get_asyncgen_hooks()
    patient.force_open()
    try:
        finish(main())
    finally:
        sys.set_asyncgen_hooks(*hooks)
    [inner] = met
    assert inspect.isasyncgen(inner)


def test_failures_count(patient, tally, finish, pause):
    """What it raises, before the first item or after, is a failure and comes through."""

    @patient
    async def items(good):
        for item in range(good):
            yield item
        await pause()
        raise TroubleError

    for good in (0, 2):
        with pytest.raises(TroubleError):
            finish(collect(items(good)))
    assert tally(patient) == {"failure": 2}


@pytest.mark.parametrize(
    "leave", ["aclose", "aclosing", "drop", "collect", "athrow", "class", "stop"]
)
def test_left_after_an_item(items, patient, tally, finish, leave):
    """Whoever had an item may leave: the work was done."""
    told = []

    async def main():
        generator = items(told=told)
        error = TroubleError()
        assert await anext(generator) == 1
        assert tally(patient) == {"in_flight": 1}
        if leave == "aclose":
            await generator.aclose()
        elif leave == "aclosing":
            async with contextlib.aclosing(generator):
                async for _ in generator:
                    break
        elif leave == "athrow":
            with pytest.raises(TroubleError) as raised:
                await generator.athrow(error)
            assert raised.value is error
        elif leave == "class":
            with pytest.raises(TroubleError):
                await generator.athrow(TroubleError)
        elif leave == "stop":
            with pytest.raises(RuntimeError):
                await generator.athrow(StopAsyncIteration("the consumer's"))
        elif leave == "collect":
            cycle = [generator]
            cycle.append(cycle)
            del cycle
        del generator
        gc.collect()

    finish(main())
    assert told[-1] == "finally"
    assert tally(patient) == {"success": 1}


def test_another_exception_is_its_own(patient, tally, finish):
    """A consumer's exception that is answered by another one is a failure."""

    @patient
    async def items():
        try:
            yield 1
        except TroubleError as error:
            raise LookupError from error

    async def main():
        generator = items()
        await anext(generator)
        with pytest.raises(LookupError):
            await generator.athrow(TroubleError())

    finish(main())
    assert tally(patient) == {"failure": 1}


def test_an_exception_that_is_handled(patient, tally, finish):
    """A consumer's exception may be answered by an item, or by the end."""

    @patient
    async def items():
        for _ in range(2):
            with contextlib.suppress(TroubleError):
                yield 1

    async def main():
        generator = items()
        await anext(generator)
        assert await generator.athrow(TroubleError()) == 1
        assert tally(patient) == {"in_flight": 1}
        with pytest.raises(StopAsyncIteration):
            await generator.athrow(TroubleError())

    finish(main())
    assert tally(patient) == {"success": 1}


def test_a_cleanup_that_waits_and_fails(patient, tally, finish, pause):
    """Closing may wait; a cleanup that raises is a failure, and comes through."""

    @patient
    async def items(fails):
        try:
            yield 1
        finally:
            await pause()
            if fails:
                raise TroubleError

    async def main(fails):
        generator = items(fails)
        await anext(generator)
        await generator.aclose()

    finish(main(False))
    with pytest.raises(TroubleError):
        finish(main(True))
    assert tally(patient) == {"success": 1, "failure": 1}


def test_one_that_refuses_to_be_closed(patient, tally, finish):
    """A generator that ignores GeneratorExit is not settled before it is gone."""

    @patient
    async def items():
        with contextlib.suppress(GeneratorExit):
            yield 1
        yield 2

    async def main():
        generator = items()
        await anext(generator)
        with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
            await generator.aclose()
        assert tally(patient) == {"in_flight": 1}

    finish(main())
    assert tally(patient) == {"success": 1}


@pytest.mark.parametrize("how", ["close", "drop"])
@pytest.mark.parametrize("after", [0, 1])
def test_given_up_in_the_middle_of_an_item(items, patient, tally, finish, how, after):
    """A step that is closed or dropped while the generator waits ends the call, cancelled."""
    generator = items()
    for _ in range(after):
        finish(anext(generator))
    step = anext(generator)
    step.send(None)
    assert tally(patient) == {"in_flight": 1}
    if how == "close":
        step.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited"):
            step.send(None)
    del step
    assert tally(patient) == {"cancelled": 1}
    with pytest.raises((StopAsyncIteration, RuntimeError)):
        finish(anext(generator))
    del generator
    assert tally(patient) == {"cancelled": 1}


def test_cancelled_in_the_middle_of_an_item(items, patient, tally):
    """CancelledError at a suspension point is neutral."""
    step = anext(items())
    step.send(None)
    with pytest.raises(asyncio.CancelledError):
        step.throw(asyncio.CancelledError())
    assert tally(patient) == {"cancelled": 1}


def test_a_failure_thrown_where_it_waits(items, patient, tally):
    """What the loop throws in where it waits is how its own calls fail: that counts."""
    step = anext(items())
    step.send(None)
    with pytest.raises(TroubleError):
        step.throw(TroubleError())
    assert tally(patient) == {"failure": 1}


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


def raise_trouble():
    """Raises."""
    raise TroubleError


def half_open(breaker, clock):
    """Brings a breaker to where the next call is its only probe."""
    with contextlib.suppress(TroubleError):
        breaker.call(raise_trouble)
    clock.advance(11)


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


def test_the_kind_is_kept(items):
    """`inspect` and `collections.abc` see an async generator function, and an async generator."""
    assert inspect.isasyncgenfunction(items)
    assert not inspect.isgeneratorfunction(items)
    assert not inspect.iscoroutinefunction(items)
    generator = items()
    assert isinstance(generator, collections.abc.AsyncGenerator)
    assert aiter(generator) is generator


def test_its_attributes(items, finish):
    """Debuggers see the inner generator's frame, code, name and state."""
    generator = items()
    step = anext(generator)
    step.send(None)
    assert generator.ag_code is items.__code__
    assert generator.ag_frame.f_locals["value"] == 1
    assert generator.ag_running
    assert generator.ag_await is not None
    assert generator.__name__ == "items"
    assert generator.__qualname__.endswith("items")
    assert "async_generator object" in repr(generator)
    if sys.version_info >= (3, 12):
        assert generator.ag_suspended
    step.close()
    watch = weakref.ref(generator)
    del generator, step
    assert watch() is None


def test_a_context_manager_over_one(patient, tally, finish, pause):
    """`contextlib.asynccontextmanager` over one is a protected block."""

    @contextlib.asynccontextmanager
    @patient
    async def block(fails=False):
        await pause()
        yield 7
        if fails:
            raise LookupError

    async def main():
        async with block() as value:
            assert value == 7
        with pytest.raises(TroubleError):
            async with block():
                raise TroubleError
        with pytest.raises(LookupError):
            async with block(fails=True):
                pass
        assert tally(patient) == {"success": 2, "failure": 1}
        patient.force_open()
        with pytest.raises(seawall.CircuitOpenError):
            async with block():
                pass

    finish(main())


def test_call_and_try_call(patient, tally, finish):
    """`call` gives a protected generator; `try_call` refuses, and says why."""

    async def items(*values):
        for value in values:
            yield value

    assert finish(collect(patient.call(items, 1, 2))) == [1, 2]
    with pytest.raises(seawall.ConfigError, match="has no single outcome"):
        patient.try_call(items)
    assert tally(patient) == {"success": 1}


def test_keys(finish):
    """A generator's key is that of its call."""
    breaker = seawall.CircuitBreaker("keyed", failure_threshold=1, key="host")

    @breaker
    async def items(host):
        yield host
        if host == "bad":
            raise TroubleError

    with pytest.raises(TroubleError):
        finish(collect(items("bad")))
    assert finish(collect(items("good"))) == ["good"]
    with pytest.raises(seawall.CircuitOpenError):
        finish(anext(items("bad")))


def test_a_hook_that_fails(items, patient, tally, finish):
    """An event loop that refuses the generator leaves it as if its first item was never had."""

    def refuse(generator):
        raise LookupError

    async def main():
        generator = items()
        sys.set_asyncgen_hooks(firstiter=refuse)
        with pytest.raises(LookupError):
            await anext(generator)

    hooks = sys.get_asyncgen_hooks()
    try:
        finish(main())
    finally:
        sys.set_asyncgen_hooks(*hooks)
    assert tally(patient) == {"cancelled": 1}


def test_tracebacks_show_no_frame_of_ours(patient, finish):
    """What it raises carries the frames of the function and of its consumer, no more."""

    @patient
    async def failing():
        yield 1
        raise TroubleError

    async def main():
        async for _ in failing():
            pass

    with pytest.raises(TroubleError) as raised:
        finish(main())
    assert [entry.name for entry in raised.traceback][-2:] == ["main", "failing"]
