"""Coroutine functions: the protected coroutine is one in every respect that is documented."""

import asyncio
import collections.abc
import gc
import inspect
import sys
import types
import weakref

import pytest
import seawall


@pytest.fixture
def waiting(patient, pause):
    """A protected coroutine function that suspends once and returns what it is sent."""

    @patient
    async def waiting():
        return await pause("paused")

    return waiting


def test_nothing_happens_before_the_first_step(waiting, patient, tally):
    """Making the coroutine asks no policy; the first step takes the permit."""
    coroutine = waiting()
    assert tally(patient) == {}
    assert coroutine.send(None) == "paused"
    assert tally(patient) == {"in_flight": 1}
    with pytest.raises(StopIteration) as stop:
        coroutine.send("sent")
    assert stop.value.value == "sent"
    assert tally(patient) == {"success": 1}


def end_by_return(coroutine):
    """Returns."""
    with pytest.raises(StopIteration):
        coroutine.send(1)


def end_by_throw(coroutine):
    """Raises what is thrown."""
    with pytest.raises(ValueError, match="thrown"):
        coroutine.throw(ValueError("thrown"))


def end_by_cancel(coroutine):
    """Is cancelled."""
    with pytest.raises(asyncio.CancelledError):
        coroutine.throw(asyncio.CancelledError())


def end_by_close(coroutine):
    """Is closed."""
    coroutine.close()


@pytest.mark.parametrize(
    ("end", "counted"),
    [
        (end_by_return, "success"),
        (end_by_throw, "failure"),
        (end_by_cancel, "cancelled"),
        (end_by_close, "cancelled"),
    ],
)
def test_every_end_gives_the_permit_back(waiting, patient, tally, end, counted):
    """Return, raise, cancel, close: each settles the call exactly once."""
    coroutine = waiting()
    coroutine.send(None)
    end(coroutine)
    assert tally(patient) == {counted: 1}
    coroutine.close()
    del coroutine
    gc.collect()
    assert tally(patient) == {counted: 1}


def test_dropped_while_suspended(waiting, patient, tally):
    """A suspended coroutine whose last reference goes gives its permit back at once."""
    coroutine = waiting()
    coroutine.send(None)
    del coroutine
    assert tally(patient) == {"cancelled": 1}


def test_dropped_in_a_cycle(waiting, patient, tally):
    """A suspended coroutine in a reference cycle gives its permit back when it is collected."""
    coroutine = waiting()
    coroutine.send(None)
    cycle = [coroutine]
    cycle.append(cycle)
    del coroutine, cycle
    assert tally(patient) == {"in_flight": 1}
    gc.collect()
    assert tally(patient) == {"cancelled": 1}


def test_dropped_while_an_exception_is_passing(waiting, patient, tally):
    """Dropping a suspended coroutine during the handling of an error leaves that error alone."""

    def drop():
        coroutine = waiting()
        coroutine.send(None)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as raised:
        drop()
    del raised
    gc.collect()
    assert tally(patient) == {"cancelled": 1}


def test_inner_finally_runs_inside_the_admission(patient, tally, pause):
    """Closing and dropping run the function's `finally` before the permit goes back."""
    seen = []

    @patient
    async def function():
        try:
            await pause()
        finally:
            seen.append(tally(patient))

    for end in (lambda c: c.close(), lambda c: None):
        coroutine = function()
        coroutine.send(None)
        end(coroutine)
        del coroutine
    assert [counts["in_flight"] for counts in seen] == [1, 1]
    assert tally(patient) == {"cancelled": 2}


def test_a_result_while_closing_is_still_a_close(patient, tally, pause):
    """A function that answers GeneratorExit by returning was closed, not successful."""

    @patient
    async def function():
        try:
            await pause()
        except GeneratorExit:
            return 7

    coroutine = function()
    coroutine.send(None)
    assert coroutine.close() is None
    assert tally(patient) == {"cancelled": 1}


def test_an_error_while_closing_is_raised(patient, tally, pause):
    """An error from the function's clean-up rises out of `close`, and counts."""

    @patient
    async def function():
        try:
            await pause()
        finally:
            raise OSError("clean-up")

    coroutine = function()
    coroutine.send(None)
    with pytest.raises(OSError, match="clean-up"):
        coroutine.close()
    assert tally(patient) == {"failure": 1}


def test_swallowed_cancellation_is_the_result(patient, tally, pause):
    """A function that catches what is thrown and returns has succeeded."""

    @patient
    async def function():
        try:
            await pause()
        except asyncio.CancelledError:
            return "caught"

    coroutine = function()
    coroutine.send(None)
    with pytest.raises(StopIteration) as stop:
        coroutine.throw(asyncio.CancelledError)
    assert stop.value.value == "caught"
    assert tally(patient) == {"success": 1}


def test_swallowed_and_suspended_again(patient, tally, pause):
    """A throw that the function survives leaves it in flight."""

    @patient
    async def function():
        try:
            await pause()
        except ValueError:
            return await pause("again")

    coroutine = function()
    coroutine.send(None)
    assert coroutine.throw(ValueError) == "again"
    assert tally(patient) == {"in_flight": 1}
    with pytest.raises(StopIteration):
        coroutine.send(1)
    assert tally(patient) == {"success": 1}


@pytest.mark.filterwarnings("ignore:the .type, exc, tb. signature:DeprecationWarning")
@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        (ValueError,),
        (ValueError("x"),),
        (ValueError, "x"),
        (ValueError, ValueError("x"), None),
        (ValueError, None, None),
        (KeyboardInterrupt, KeyboardInterrupt("x")),
        (StopIteration, 3),
        (7,),
        (),
        (ValueError, "x", "no traceback"),
    ],
)
def test_throw_takes_what_a_bare_coroutine_takes(patient, tally, pause, begun, arguments):
    """One, two and three arguments, right and wrong ones: the same error as the bare coroutine."""

    async def bare():
        await pause()

    def thrown(coroutine):
        if begun:
            coroutine.send(None)
        with pytest.raises(BaseException) as raised:  # noqa: PT011  whatever the bare one raises
            coroutine.throw(*arguments)
        coroutine.close()
        return type(raised.value), str(raised.value).replace("coroutine.", "")

    assert thrown(patient(bare)()) == thrown(bare())
    assert "in_flight" not in tally(patient)


def test_thrown_into_before_its_first_step(waiting, patient, tally):
    """An exception thrown into a fresh coroutine rises from it, and no policy hears of it."""
    coroutine = waiting()
    with pytest.raises(ValueError, match="early"):
        coroutine.throw(ValueError("early"))
    assert tally(patient) == {}
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        coroutine.send(None)


def test_closed_before_its_first_step(waiting, patient, tally):
    """A fresh coroutine may be closed, warns nothing, and can't be used after."""
    coroutine = waiting()
    coroutine.close()
    coroutine.close()
    assert tally(patient) == {}
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        coroutine.send(None)


def test_reuse(waiting, finish):
    """A finished coroutine says so, however it is asked, and closing it is harmless."""
    coroutine = waiting()
    finish(coroutine)
    for ask in (
        lambda: coroutine.send(None),
        lambda: coroutine.throw(ValueError),
        lambda: next(coroutine.__await__()),
        lambda: finish(coroutine),
    ):
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            ask()
    coroutine.close()


def test_awaited_by_two(waiting):
    """A second awaiter is told that somebody is at it."""
    coroutine = waiting()

    async def await_it():
        return await coroutine

    first, second = await_it(), await_it()
    first.send(None)
    with pytest.raises(RuntimeError, match="coroutine is being awaited already"):
        second.send(None)
    with pytest.raises(StopIteration):
        first.send(None)


def test_sent_a_value_before_it_began(waiting, patient, tally):
    """A first value other than None is refused, and the coroutine is still fresh."""
    coroutine = waiting()
    with pytest.raises(TypeError, match="can't send non-None value to a just-started coroutine"):
        coroutine.send(1)
    assert tally(patient) == {}
    assert coroutine.send(None) == "paused"
    coroutine.close()


def test_entered_from_inside(patient, tally):
    """A coroutine that steps, throws into or closes itself is told that it is executing."""
    errors = []

    @patient
    async def function():
        for ask in (
            lambda: coroutine.send(None),
            lambda: coroutine.throw(KeyError),
            coroutine.close,
            lambda: next(coroutine.__await__()),
        ):
            try:
                ask()
            except (ValueError, RuntimeError) as error:
                errors.append(str(error))

    coroutine = function()
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert errors[:3] == ["coroutine already executing"] * 3
    assert errors[3] in {"coroutine already executing", "coroutine is being awaited already"}
    assert tally(patient) == {"success": 1}


def test_entered_by_a_listener_while_it_is_let_in(pause, clock):
    """A listener of the transition that lets a coroutine in finds it executing."""
    errors = []

    def listener(event):
        if event.kind == "breaker.half_opened":
            for ask in (lambda: coroutine.send(None), coroutine.close):
                try:
                    ask()
                except ValueError as error:
                    errors.append(str(error))

    breaker = seawall.CircuitBreaker(failure_threshold=1, open_duration=1, on_event=listener)

    @breaker
    async def function():
        return await pause()

    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0)
    clock.advance(1)
    coroutine = function()
    coroutine.send(None)
    assert errors == ["coroutine already executing"] * 2
    assert breaker.snapshot().in_flight == 1
    coroutine.close()
    assert breaker.snapshot().in_flight == 0


RESULTS = [
    None,
    (),
    (1, 2),
    ((1,),),
    ValueError("a value"),
    ValueError,
    StopIteration(3),
    StopIteration,
    KeyboardInterrupt(),
    [1],
    object(),
]


@pytest.mark.parametrize("result", RESULTS, ids=range(len(RESULTS)))
def test_results_arrive_by_every_way(patient, finish, result):
    """Whatever is returned arrives as it is: by await, by send, by next, and by throw."""

    @patient
    async def function():
        return result

    @patient
    async def thrown_at(pause):
        try:
            await pause()
        except ValueError:
            return result

    async def outer():
        return await function()

    assert finish(outer()) is result
    with pytest.raises(StopIteration) as stop:
        function().send(None)
    assert stop.value.value is result
    with pytest.raises(StopIteration) as stop:
        next(function().__await__())
    assert stop.value.value is result
    assert stop.value.args == (() if result is None else (result,))

    @types.coroutine
    def one():
        yield

    coroutine = thrown_at(one)
    coroutine.send(None)
    with pytest.raises(StopIteration) as stop:
        coroutine.throw(ValueError)
    assert stop.value.value is result
    assert asyncio.run(function()) is result


def test_a_result_is_let_go(patient):
    """Neither the finished coroutine nor the machinery keeps a result or a frame alive."""

    class Result:
        pass

    @patient
    async def function():
        return Result()

    async def awaits():
        return weakref.ref(await function())

    def by_next():
        local = Result()
        coroutine = function()
        try:
            next(coroutine.__await__())
        except StopIteration as stop:
            return weakref.ref(stop.value), weakref.ref(local)
        return None

    def by_next_of_a_temporary():
        try:
            next(function().__await__())
        except StopIteration as stop:
            return weakref.ref(stop.value)
        return None

    assert asyncio.run(awaits())() is None
    assert [ref() for ref in by_next()] == [None, None]
    assert by_next_of_a_temporary()() is None


@pytest.mark.parametrize("begun", [True, False])
def test_stop_iteration_raised_inside_is_a_runtime_error(patient, tally, begun, pause):
    """A StopIteration that the function raises is turned into RuntimeError, and counts."""

    @patient
    async def function():
        if begun:
            await pause()
        raise StopIteration(3)

    coroutine = function()
    if begun:
        coroutine.send(None)
    with pytest.raises(RuntimeError, match="coroutine raised StopIteration"):
        coroutine.send(None)
    assert tally(patient) == {"failure": 1}


def test_never_awaited_is_said_once_by_the_inner_one(waiting):
    """A coroutine that nobody awaits warns as a bare one does, and only once."""
    with pytest.warns(RuntimeWarning) as told:
        waiting()
    [warning] = told
    assert "waiting' was never awaited" in str(warning.message)


def test_a_rejected_one_warns_nothing(waiting, patient, tally):
    """A rejection closes the inner coroutine that never began. (Warnings are errors here.)."""
    patient.force_open()
    coroutine = waiting()
    with pytest.raises(seawall.CircuitOpenError):
        coroutine.send(None)
    del coroutine
    gc.collect()
    assert tally(patient) == {"rejected": 1}


def test_a_rejected_one_is_done(waiting, patient, finish):
    """A rejected coroutine can't be awaited again, even when the circuit has closed."""
    patient.force_open()
    coroutine = waiting()
    with pytest.raises(seawall.CircuitOpenError):
        finish(coroutine)
    patient.reset()
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        finish(coroutine)


def test_attributes_of_a_coroutine(waiting):
    """The names, the state and the rest of `cr_*` are those of the function's own coroutine."""
    coroutine = waiting()
    assert coroutine.cr_code is waiting.__wrapped__.__code__
    assert coroutine.__name__ == "waiting"
    assert coroutine.__qualname__ == waiting.__qualname__
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
    assert coroutine.cr_origin is None
    coroutine.send(None)
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_SUSPENDED
    assert coroutine.cr_await is not None
    assert coroutine.cr_frame.f_code is coroutine.cr_code
    assert inspect.getcoroutinelocals(coroutine) == inspect.getcoroutinelocals(coroutine)
    assert "waiting" in repr(coroutine)
    coroutine.close()
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert coroutine.cr_frame is None


def test_it_is_a_coroutine_by_the_abstract_classes(waiting):
    """`collections.abc` and asyncio know it for a coroutine; `inspect.iscoroutine` does not."""
    coroutine = waiting()
    assert isinstance(coroutine, collections.abc.Coroutine)
    assert isinstance(coroutine, collections.abc.Awaitable)
    assert asyncio.iscoroutine(coroutine)
    assert inspect.isawaitable(coroutine)
    assert not inspect.iscoroutine(coroutine)
    coroutine.close()


def test_weak_references(waiting):
    """Coroutines can be referred to weakly; the reference dies with them."""
    coroutine = waiting()
    gone = []
    reference = weakref.ref(coroutine, gone.append)
    assert reference() is coroutine
    coroutine.close()
    del coroutine
    assert reference() is None
    assert gone == [reference]


def test_nested(patient, tally, pause, finish):
    """Protected coroutines await one another; each is counted."""

    @patient
    async def inner(x):
        return await pause(x) or x

    @patient
    async def outer(x):
        return await inner(x) + await inner(x + 1)

    assert finish(outer(1)) == 3
    assert tally(patient) == {"success": 3}


def test_an_old_style_coroutine(patient, tally, finish):
    """A generator that `types.coroutine` made awaitable is a coroutine function."""

    @patient
    @types.coroutine
    def function():
        return (yield) or 7

    assert finish(function()) == 7
    assert tally(patient) == {"success": 1}


def test_call_frees_the_arguments(waiting, patient):
    """A finished coroutine keeps neither its arguments nor the function's frame."""

    class Argument:
        pass

    @patient
    async def function(argument):
        return 1

    argument = Argument()
    reference = weakref.ref(argument)
    coroutine = function(argument)
    del argument
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert reference() is None
    assert sys.getrefcount(coroutine) == 2
