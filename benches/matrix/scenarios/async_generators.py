"""Async generators: a call from the first item to the last."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from benches.matrix.adapter import Boom, Breaker, Function, Settings
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario

THREE = Settings().threshold


@scenario()
def async_generators_are_protected(lab: Lab) -> None:
    """An async generator still works when decorated, and its failures count."""
    breaker = lab.breaker()
    protected = lab.protect(breaker, _failing)

    async def consume() -> list[int]:
        got: list[int] = []
        try:
            async for item in protected():
                got.append(item)  # noqa: PERF401 - what came before the exception counts too
        except Boom:
            pass
        except TypeError:
            return [-1]
        except breaker.open_error:
            got.append(-2)
        return got

    got = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(THREE):
            got = lab.run(consume())
            lab.check(-1 not in got, "broken: what it gives can't be iterated")
    lab.check(breaker.state() == "open", "silently unprotected: its failures don't count")
    lab.check(lab.run(consume()) == [-2], "it is run when open")


@scenario()
def async_generators_are_refused_at_the_first_item(lab: Lab) -> None:
    """Made while closed and first asked for an item while open, an async generator is refused."""
    breaker = lab.breaker()
    runs = []

    async def counting() -> AsyncIterator[int]:
        runs.append(1)
        yield 1

    made = _protect(lab, breaker, counting)()
    _open(lab, breaker)
    error = lab.run(quietly(anext(made)))
    lab.check(not runs, "made before it opened, it is run when open")
    lab.check(isinstance(error, breaker.open_error), f"when open it ends in {error!r}")


@scenario()
def leaving_an_async_generator_is_fine(lab: Lab) -> None:
    """`break` out of a healthy async generator, and `aclose` after it, is no failure."""
    judged(lab)
    breaker = lab.breaker()
    protected = _protect(lab, breaker, two)

    async def leave() -> None:
        async with contextlib.aclosing(protected()) as generator:
            async for _ in generator:
                break

    for _ in range(2 * THREE):
        error = lab.run(quietly(leave()))
        lab.check(error is None, f"leaving it ends in {error!r}")
    lab.check(breaker.state() == "closed", "leaving it counts as a failure and opens it")
    nothing_in_flight(lab, breaker)


@scenario()
def async_generators_get_what_is_sent(lab: Lab) -> None:
    """What is sent by `asend` or thrown by `athrow` arrives at the `yield`."""
    breaker = lab.breaker()

    async def echo() -> AsyncGenerator[str, str]:
        try:
            got = yield "ready"
            yield f"got {got}"
        except Boom:
            yield "caught"

    protected = _protect(lab, breaker, echo)

    async def talk() -> tuple[str, str]:
        generator = protected()
        lab.check(hasattr(generator, "asend"), "what it gives has no asend")
        await anext(generator)
        sent = await generator.asend("it")
        thrown = ""
        with contextlib.suppress(Boom):
            thrown = await generator.athrow(Boom())
        return sent, thrown

    sent, thrown = lab.run(talk())
    lab.check(sent == "got it", f"what is sent is lost: it yields {sent!r}")
    lab.check(thrown == "caught", "what is thrown in does not arrive")


@scenario()
def stays_an_async_generator_function(lab: Lab) -> None:
    """What was an async generator function is one after it is decorated."""
    protected = lab.protect(lab.breaker(), two)
    lab.check(inspect.isasyncgenfunction(protected), "isasyncgenfunction() is False")


@scenario()
def the_async_consumers_failure_is_its_own(lab: Lab) -> None:
    """An exception in the consumer's `async for` is not the generator's failure."""
    judged(lab)
    breaker = lab.breaker()
    protected = _protect(lab, breaker, two)

    async def consume() -> None:
        async with contextlib.aclosing(protected()) as generator:
            async for _ in generator:
                raise Boom

    for _ in range(2 * THREE):
        error = lab.run(quietly(consume()))
        lab.check(isinstance(error, Boom), f"what the consumer gets is {error!r}")
    lab.check(breaker.state() == "closed", "the consumer's exceptions open it")


async def two() -> AsyncIterator[int]:
    """Healthy."""
    yield 1
    yield 2


async def _failing() -> AsyncIterator[int]:
    yield 1
    raise Boom


def _protect(lab: Lab, breaker: Breaker, function: Function) -> Function:
    protected = lab.protect(breaker, function)
    lab.check(not inspect.iscoroutinefunction(protected), "broken: a coroutine function")
    return protected


async def quietly(awaitable: Any) -> BaseException | None:
    """What it ends in."""
    try:
        await awaitable
    except Exception as error:
        return error
    return None


def _open(lab: Lab, breaker: Breaker) -> None:
    """Open it by a function that fails, whatever becomes of async generators."""

    async def failing() -> None:
        raise Boom

    def failing_sync() -> None:
        raise Boom

    if "async" in lab.adapter.kinds:
        protected = breaker.protect(failing)
        for _ in range(THREE):
            lab.run(quietly(protected()))
    else:
        protected = breaker.protect(failing_sync)
        for _ in range(THREE):
            with contextlib.suppress(Exception):
                protected()
    lab.check(breaker.state() == "open", f"does not open after {THREE} failures")


def judged(lab: Lab) -> None:
    """Go on if it judges async generators at all: what it never sees it can't misjudge."""
    breaker = lab.breaker()
    protected = lab.protect(breaker, _failing)
    lab.need(not inspect.iscoroutinefunction(protected), "async generators are broken")

    async def consume() -> None:
        async for _ in protected():
            pass

    for _ in range(THREE):
        lab.run(quietly(consume()))
    lab.need(breaker.state() == "open", "async generators are not judged at all")


def nothing_in_flight(lab: Lab, breaker: Breaker) -> None:
    """Where the library tells."""
    left = breaker.in_flight()
    lab.check(not left, f"{left} still count as in flight")
