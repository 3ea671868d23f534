"""Cancellation: wherever it strikes, it decides nothing and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from benches.matrix.adapter import Boom, Breaker, Settings
from benches.matrix.lab import Lab
from benches.matrix.scenarios import async_generators
from benches.matrix.scenarios.scenario import scenario
from benches.matrix.verdict import Refused

THREE = Settings().threshold
MOST = 40
"""More suspensions than any library adds to those of the bodies here."""

Make = Callable[[Breaker], Callable[[bool], Awaitable[Any]]]
"""Of a breaker, what runs a protected piece of work that waits here and there, then fails or not."""


@scenario("async")
def calls_cancelled_anywhere_are_neutral(lab: Lab) -> None:
    """`task.cancel()` at each suspension of a call, and before it began: no failure, no success."""
    _neutral(lab, _call(lab))


@scenario("async")
def probes_cancelled_anywhere_give_back_their_place(lab: Lab) -> None:
    """A probe cancelled at any suspension decides nothing; the next call is the probe."""
    _gives_back(lab, _call(lab))


@scenario("async")
def calls_timed_out_are_neutral(lab: Lab) -> None:
    """Calls ended by `asyncio.wait_for` and `asyncio.timeout` are no failure and no success."""

    async def hanging(fails: bool) -> None:
        if fails:
            raise Boom
        await asyncio.sleep(3600)

    async def waited(work: Callable[[bool], Awaitable[Any]]) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(work(False), 0.005)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await work(False)

    breaker = lab.breaker()
    work = lab.protect(breaker, hanging)
    for _ in range(THREE):
        lab.run(waited(work))
    lab.check(breaker.state() == "closed", "calls that are timed out open it")
    for _ in range(THREE - 1):
        lab.run(_quietly(work(True)))
    lab.run(waited(work))
    lab.run(_quietly(work(True)))
    lab.check(breaker.state() == "open", "calls that are timed out reset the count")
    async_generators.nothing_in_flight(lab, breaker)


@scenario()
def async_generators_cancelled_anywhere_are_neutral(lab: Lab) -> None:
    """An async generator cancelled while it makes its first item: no failure, no success."""
    async_generators.judged(lab)
    _neutral(lab, _step(lab))


@scenario()
def async_generator_probes_cancelled_anywhere_give_back_their_place(lab: Lab) -> None:
    """A probe that is an async generator, cancelled in a step, decides nothing."""
    async_generators.judged(lab)
    _gives_back(lab, _step(lab))


@scenario()
def async_blocks_cancelled_anywhere_are_neutral(lab: Lab) -> None:
    """A task cancelled inside `async with breaker:`: no failure, no success."""
    _neutral(lab, _block(lab))


@scenario()
def async_block_probes_cancelled_anywhere_give_back_their_place(lab: Lab) -> None:
    """A probe that is an `async with` block, cancelled inside, decides nothing."""
    _gives_back(lab, _block(lab))


@contextlib.asynccontextmanager
async def _slowly() -> AsyncIterator[None]:
    await asyncio.sleep(0)
    try:
        yield
    finally:
        await asyncio.sleep(0)


async def _work(fails: bool) -> str:
    """Waits by itself, in what it calls, in a block's entry, body and exit, and for tasks."""
    await asyncio.sleep(0)
    async with _slowly():
        await asyncio.sleep(0)
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
    if fails:
        raise Boom
    return "value"


def _call(lab: Lab) -> Make:
    return lambda breaker: lab.protect(breaker, _work)


def _step(lab: Lab) -> Make:
    async def working(fails: bool) -> AsyncIterator[str]:
        yield await _work(fails)

    def make(breaker: Breaker) -> Callable[[bool], Awaitable[Any]]:
        protected = lab.protect(breaker, working)
        lab.check(not inspect.iscoroutinefunction(protected), "broken: a coroutine function")

        async def consume(fails: bool) -> list[str]:
            return [item async for item in protected(fails)]

        return consume

    return make


def _block(lab: Lab) -> Make:
    if not hasattr(type(lab.breaker().async_block()), "__aenter__"):
        raise Refused("not an async context manager: TypeError")

    def make(breaker: Breaker) -> Callable[[bool], Awaitable[Any]]:
        async def enter(fails: bool) -> Any:
            async with breaker.async_block():
                return await _work(fails)

        return enter

    breaker = lab.breaker()
    _fail(lab, make(breaker))
    lab.need(breaker.state() == "open", "async blocks are not judged at all")
    return make


def _neutral(lab: Lab, make: Make) -> None:
    for at in range(MOST):
        breaker = lab.breaker()
        work = make(breaker)
        for _ in range(2 * THREE):
            if not lab.run(_cancelled(lab, work, at)):
                lab.check(at > 0, "it can't be cancelled")
                return
        lab.check(breaker.state() == "closed", f"cancelled at suspension {at}, it is a failure")
        _fail(lab, work, THREE - 1)
        lab.run(_cancelled(lab, work, at))
        _fail(lab, work, 1)
        lab.check(
            breaker.state() == "open",
            f"cancelled at suspension {at}, it is a success and resets the count",
        )
        async_generators.nothing_in_flight(lab, breaker)
    lab.check(False, f"after {MOST} suspensions it has not ended")


def _gives_back(lab: Lab, make: Make) -> None:
    for at in range(MOST):
        breaker = lab.breaker()
        work = make(breaker)
        _fail(lab, work)
        lab.check(breaker.state() == "open", f"does not open after {THREE} failures")
        lab.pass_window()
        if not lab.run(_cancelled(lab, work, at)):
            lab.check(at > 0, "it can't be cancelled")
            return
        where = f"a probe cancelled at suspension {at}"
        lab.check(breaker.state() != "closed", f"{where} closes it")
        async_generators.nothing_in_flight(lab, breaker)
        error = lab.run(_quietly(work(False)))
        lab.check(not isinstance(error, breaker.open_error), f"{where} re-opens or wedges it")
        lab.check(error is None, f"after {where} the next call ends in {error!r}")
        lab.check(breaker.state() == "closed", f"after {where} a good one doesn't close it")
    lab.check(False, f"after {MOST} suspensions it has not ended")


async def _cancelled(lab: Lab, work: Callable[[bool], Awaitable[Any]], at: int) -> bool:
    """Cancel it at its suspension of that number; whether it had so many."""
    task = asyncio.ensure_future(work(False))
    for _ in range(at):
        await asyncio.sleep(0)
    if task.done():
        task.result()
        return False
    task.cancel()
    await asyncio.wait([task])
    lab.check(task.cancelled(), f"cancelled at suspension {at}, the caller isn't told so")
    return True


def _fail(lab: Lab, work: Callable[[bool], Awaitable[Any]], times: int = THREE) -> None:
    for _ in range(times):
        lab.run(_quietly(work(True)))


async def _quietly(awaitable: Awaitable[Any]) -> Exception | None:
    try:
        await awaitable
    except Exception as error:
        return error
    return None
