"""Generators: a call from the first item to the last."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Generator
from typing import Any

from benches.matrix.adapter import Boom, Breaker, Function, Settings
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario

THREE = Settings().threshold


@scenario()
def generators_are_protected(lab: Lab) -> None:
    """A generator that fails while it is consumed counts; when open, it is not run."""
    breaker = lab.breaker()
    runs = []

    def failing() -> Generator[int, None, None]:
        runs.append(1)
        yield 1
        raise Boom

    protected = _protect(lab, breaker, failing)
    for _ in range(THREE):
        _quietly(lambda: list(protected()))
    lab.check(breaker.state() == "open", "silently unprotected: its failures don't count")
    before = len(runs)
    error = _quietly(lambda: list(protected()))
    lab.check(isinstance(error, breaker.open_error), f"when open it ends in {error!r}")
    lab.check(len(runs) == before, "it is run when open")


@scenario()
def generators_fail_anywhere(lab: Lab) -> None:
    """A generator's failure counts before its first item and where it answers a `send`, too."""

    def at_once() -> Generator[int, None, None]:
        raise Boom
        yield

    def answering() -> Generator[int, int, None]:
        yield 1
        got = yield 2
        raise Boom(got)

    def answer(generator: Generator[int, int, None]) -> None:
        next(generator)
        next(generator)
        generator.send(3)

    _judged(lab)
    for where, function, consume in (
        ("before its first item", at_once, next),
        ("on what it is sent", answering, answer),
    ):
        breaker = lab.breaker()
        protected = _protect(lab, breaker, function)
        for _ in range(THREE):
            _quietly(lambda: consume(protected()))  # noqa: B023 - called at once
        lab.check(breaker.state() == "open", f"its failures {where} don't count")


@scenario()
def generators_are_refused_at_the_first_item(lab: Lab) -> None:
    """Made while closed and first asked for an item while open, a generator is refused."""
    breaker = lab.breaker()
    runs = []

    def counting() -> Generator[int, None, None]:
        runs.append(1)
        yield 1

    made = _protect(lab, breaker, counting)()
    _open(lab, breaker)
    error = _quietly(lambda: next(made))
    lab.check(not runs, "made before it opened, it is run when open")
    lab.check(isinstance(error, breaker.open_error), f"when open it ends in {error!r}")


@scenario()
def unused_generators_take_nothing(lab: Lab) -> None:
    """Generators that are made and never iterated keep no probe's place and close nothing."""
    breaker = lab.breaker()
    _judged(lab)
    _open(lab, breaker)
    protected = _protect(lab, breaker, _two)
    lab.pass_window()
    kept: list[Any] = []
    error = _quietly(lambda: kept.extend(protected() for _ in range(THREE)))
    lab.check(error is None, f"making a second one raises {type(error).__name__}")
    lab.check(breaker.state() != "closed", "making one closes the circuit")
    error = _quietly(lambda: list(protected()))
    lab.check(error is None, f"the next one is turned away by {type(error).__name__}")
    lab.check(breaker.state() == "closed", "one that is consumed doesn't close it")


@scenario()
def leaving_a_generator_is_fine(lab: Lab) -> None:
    """`break` out of a healthy generator is no failure."""
    breaker = lab.breaker()
    protected = _protect(lab, breaker, _endless)
    _judged(lab)
    for _ in range(2 * THREE):
        generator = protected()
        entering = _quietly(generator.__next__)
        lab.check(entering is None, "break counts as a failure and opens it")
        error = _quietly(generator.close)
        lab.check(
            not isinstance(error, breaker.open_error),
            f"break counts as a failure: closing the third raises {type(error).__name__}",
        )
        lab.check(error is None, f"closing it raises {type(error).__name__}")
    lab.check(breaker.state() == "closed", "break counts as a failure and opens it")
    _nothing_in_flight(lab, breaker)


@scenario()
def generators_keep_their_answer(lab: Lab) -> None:
    """Values sent into a generator arrive, and `yield from` gets its return value."""
    breaker = lab.breaker()

    def echo() -> Generator[Any, Any, str]:
        received = yield "ready"
        return f"got {received}"

    protected = _protect(lab, breaker, echo)

    def outer() -> Generator[Any, Any, str]:
        return (yield from protected())

    for function in (protected, outer):
        generator = function()
        next(generator)
        try:
            generator.send("it")
        except StopIteration as stop:
            lab.check(stop.value is not None, "its return value is lost")
            lab.check(stop.value == "got it", "what is sent is lost")
        else:
            lab.check(False, "it goes on after its return")


@scenario()
def generators_catch_what_is_thrown(lab: Lab) -> None:
    """What is thrown into a generator arrives at its `yield`, and it may go on."""
    breaker = lab.breaker()

    def catching() -> Generator[str, None, None]:
        try:
            yield "ready"
        except Boom:
            yield "caught"

    generator = _protect(lab, breaker, catching)()
    next(generator)
    got = []
    error = _quietly(lambda: got.append(generator.throw(Boom())))
    lab.check(error is None, f"thrown in, {type(error).__name__} comes back")
    lab.check(got == ["caught"], f"what it yields then is {got[0] if got else None!r}")


@scenario()
def stays_a_generator_function(lab: Lab) -> None:
    """What was a generator function is one after it is decorated."""
    protected = _protect(lab, lab.breaker(), _two)
    lab.check(inspect.isgeneratorfunction(protected), "isgeneratorfunction() is False")


@scenario()
def the_consumers_failure_is_its_own(lab: Lab) -> None:
    """An exception in the consumer's loop is not the generator's failure."""
    breaker = lab.breaker()
    protected = _protect(lab, breaker, _endless)
    _judged(lab)

    def consume() -> None:
        with contextlib.closing(protected()) as generator:
            for _ in generator:
                raise Boom

    for _ in range(2 * THREE):
        error = _quietly(consume)
        lab.check(isinstance(error, Boom), f"what the consumer gets is {error!r}")
    lab.check(breaker.state() == "closed", "the consumer's exceptions open it")


@scenario(convention=True)
def thrown_in_and_back_is_the_consumers(lab: Lab) -> None:
    """An exception that the consumer throws in and gets back as it was is the consumer's own."""
    breaker = lab.breaker()
    protected = _protect(lab, breaker, _endless)
    _judged(lab)
    for _ in range(2 * THREE):
        generator = protected()
        error = _quietly(generator.__next__)
        lab.check(error is None, "what is thrown in opens it")
        error = _quietly(lambda: generator.throw(Boom()))  # noqa: B023 - called at once
        lab.check(isinstance(error, Boom), f"thrown in, {type(error).__name__} comes back")
    lab.check(breaker.state() == "closed", "what is thrown in opens it")


@scenario()
def the_consumers_time_is_its_own(lab: Lab) -> None:
    """Time that the consumer takes between two items makes no slow call; the generator's does."""
    lab.need(lab.adapter.has_slow_calls, "slow calls don't count, or not those of generators")
    breaker = lab.breaker(Settings(slow=1.0))
    protected = _protect(lab, breaker, _two)

    def linger() -> None:
        for _ in protected():
            lab.clock.advance(5.0)

    for _ in range(2 * THREE):
        _quietly(linger)
    lab.check(breaker.state() == "closed", "the consumer's time opens it")

    def slow() -> Generator[int, None, None]:
        yield 1
        lab.clock.advance(5.0)
        yield 2

    hesitant = _protect(lab, breaker, slow)
    for _ in range(THREE):
        _quietly(lambda: list(hesitant()))
    lab.check(breaker.state() == "open", "the generator's own time doesn't count")


@scenario()
def a_resting_generator_keeps_nobody_waiting(lab: Lab) -> None:
    """While a consumer holds a generator between two items, other calls go through."""
    breaker = lab.breaker()
    protected = _protect(lab, breaker, _two)
    _judged(lab)
    held = protected()
    next(held)
    other = lab.beside(lambda: list(protected()))
    try:
        got = other.result(2.0)
    except TimeoutError:
        lab.check(False, "another thread waits until the consumer goes on")
    lab.check(got == [1, 2], f"another thread gets {got}")
    lab.check(list(held) == [2], "the one held is lost")
    _nothing_in_flight(lab, breaker)


def _two() -> Generator[int, None, None]:
    yield 1
    yield 2


def _endless() -> Generator[int, None, None]:
    while True:
        yield 1


def _protect(lab: Lab, breaker: Breaker, function: Function) -> Function:
    protected = lab.protect(breaker, function)
    lab.need(not inspect.iscoroutinefunction(protected), "async functions only")
    return protected


def _failing() -> Generator[int, None, None]:
    yield 1
    raise Boom


def _open(lab: Lab, breaker: Breaker) -> None:
    """Open it by a plain function that fails, whatever becomes of generators."""

    def failing() -> None:
        raise Boom

    protected = breaker.protect(failing)
    for _ in range(THREE):
        _quietly(protected)
    lab.check(breaker.state() == "open", f"does not open after {THREE} failures")


def _judged(lab: Lab) -> None:
    """Go on if it judges generators at all: what it never sees it can't misjudge."""
    other = lab.breaker()
    protected = _protect(lab, other, _failing)
    for _ in range(THREE):
        _quietly(lambda: list(protected()))
    lab.need(other.state() == "open", "generators are not judged at all")


def _nothing_in_flight(lab: Lab, breaker: Breaker) -> None:
    left = breaker.in_flight()
    lab.check(not left, f"{left} still count as in flight")


def _quietly(work: Callable[[], Any]) -> Exception | None:
    try:
        work()
    except Exception as error:
        return error
    return None
