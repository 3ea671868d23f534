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


class Errand:
    """What a piece of work is to do, and whether it has."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.finished = False


Work = Callable[[Errand], Awaitable[Any]]
Make = Callable[[Breaker], Work]
"""Of a breaker, what runs a protected piece of work that waits here and there."""


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

    async def hanging(errand: Errand) -> None:
        if errand.fails:
            raise Boom
        await asyncio.sleep(3600)

    async def waited(work: Work) -> None:
        with contextlib.suppress(TimeoutError, breaker.open_error):
            await asyncio.wait_for(work(Errand()), 0.005)
        with contextlib.suppress(TimeoutError, breaker.open_error):
            async with asyncio.timeout(0.005):
                await work(Errand())

    breaker = lab.breaker()
    work: Work = lab.protect(breaker, hanging)
    for _ in range(THREE):
        lab.run(waited(work))
    lab.check(breaker.state() == "closed", "calls that are timed out open it")
    for _ in range(THREE - 1):
        lab.run(_quietly(work(Errand(fails=True))))
    lab.run(waited(work))
    lab.run(_quietly(work(Errand(fails=True))))
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


async def _work(errand: Errand) -> str:
    """Waits by itself, in what it calls, in a block's entry, body and exit, and for tasks."""
    await asyncio.sleep(0)
    async with _slowly():
        await asyncio.sleep(0)
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
    errand.finished = True
    if errand.fails:
        raise Boom
    return "value"


def _call(lab: Lab) -> Make:
    return lambda breaker: lab.protect(breaker, _work)


def _step(lab: Lab) -> Make:
    async def working(errand: Errand) -> AsyncIterator[str]:
        yield await _work(errand)

    def make(breaker: Breaker) -> Work:
        protected = lab.protect(breaker, working)
        lab.check(not inspect.iscoroutinefunction(protected), "broken: a coroutine function")

        async def consume(errand: Errand) -> list[str]:
            return [item async for item in protected(errand)]

        return consume

    return make


def _block(lab: Lab) -> Make:
    if not hasattr(type(lab.breaker().async_block()), "__aenter__"):
        raise Refused("not an async context manager: TypeError")

    def make(breaker: Breaker) -> Work:
        async def enter(errand: Errand) -> Any:
            async with breaker.async_block():
                return await _work(errand)

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
            if not lab.run(_cancelled(lab, breaker, work, at)):
                lab.check(at > 0, "it can't be cancelled")
                return
        lab.check(breaker.state() == "closed", f"cancelled at suspension {at}, it is a failure")
        _fail(lab, work, THREE - 1)
        lab.run(_cancelled(lab, breaker, work, at))
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
        if not lab.run(_cancelled(lab, breaker, work, at)):
            lab.check(at > 0, "it can't be cancelled")
            return
        where = f"a probe cancelled at suspension {at}"
        lab.check(breaker.state() != "closed", f"{where} closes it")
        async_generators.nothing_in_flight(lab, breaker)
        error = lab.run(_quietly(work(Errand())))
        lab.check(not isinstance(error, breaker.open_error), f"{where} re-opens or wedges it")
        lab.check(error is None, f"after {where} the next call ends in {error!r}")
        lab.check(breaker.state() == "closed", f"after {where} a good one doesn't close it")
    lab.check(False, f"after {MOST} suspensions it has not ended")


async def _cancelled(lab: Lab, breaker: Breaker, work: Work, at: int) -> bool:
    """Cancel it at its suspension of that number; whether the work had so many.

    What a library still waits for once the work is finished is its own: either verdict is sound.
    """
    errand = Errand()
    task = asyncio.ensure_future(work(errand))
    for _ in range(at):
        await asyncio.sleep(0)
    if errand.finished:
        await task
        return False
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        error = task.exception()
        refused = isinstance(error, breaker.open_error)
        lab.check(not refused, "cancelled ones count as failures and open it")
        lab.check(False, f"cancelled at suspension {at}, the caller gets {error!r}")
    return True


def _fail(lab: Lab, work: Work, times: int = THREE) -> None:
    for _ in range(times):
        lab.run(_quietly(work(Errand(fails=True))))


async def _quietly(awaitable: Awaitable[Any]) -> Exception | None:
    try:
        await awaitable
    except Exception as error:
        return error
    return None
