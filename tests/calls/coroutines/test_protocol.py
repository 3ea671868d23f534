"""Coroutine functions: the protected coroutine is one in every respect that is documented."""

import asyncio
import collections.abc
import inspect
import weakref

import pytest
import seawall


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
