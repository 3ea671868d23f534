"""Blocks: `with breaker:` protects, or is refused."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from benches.matrix.adapter import Boom, Breaker, Settings
from benches.matrix.calls import until
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario
from benches.matrix.verdict import Refused

THREE = Settings().threshold


@scenario()
def with_rejects_when_open(lab: Lab) -> None:
    """Failures inside `with breaker:` count, and an open breaker rejects the block."""
    breaker = lab.breaker()
    _need_manager(breaker.block(), "__enter__")

    def enter() -> str:
        try:
            with breaker.block():
                raise Boom
        except Boom:
            return "ran"
        except breaker.open_error as error:
            # A library may wrap the failure that opens the circuit; then the block did run.
            return "ran" if isinstance(error.__context__, Boom) else "rejected"

    for _ in range(Settings().threshold):
        enter()
    lab.check(enter() == "rejected", "the block of an open breaker runs")


@scenario()
def async_with_rejects_when_open(lab: Lab) -> None:
    """Failures inside `async with breaker:` count, and an open breaker rejects the block."""
    breaker = lab.breaker()
    _need_manager(breaker.async_block(), "__aenter__")

    async def enter() -> str:
        try:
            async with breaker.async_block():
                raise Boom
        except Boom:
            return "ran"
        except breaker.open_error:
            return "rejected"

    for _ in range(Settings().threshold):
        lab.run(enter())
    lab.check(lab.run(enter()) == "rejected", "the block of an open breaker runs")


@scenario()
def blocks_swallow_nothing(lab: Lab) -> None:
    """An exception inside `with breaker:` goes on as it was raised; without one all is well."""
    breaker = _sync(lab)
    raised, caught = Boom("as it was"), None
    try:
        with breaker.block():
            raise raised
    except Exception as error:
        caught = error
    lab.check(caught is not None, "the exception is swallowed")
    lab.check(caught is raised, f"it surfaces as {type(caught).__name__}")
    reached = False
    with breaker.block():
        reached = True
    lab.check(reached, "a healthy block does not run")


@scenario()
def async_blocks_swallow_nothing(lab: Lab) -> None:
    """An exception inside `async with breaker:` goes on as it was raised."""
    breaker = _async(lab)
    raised = Boom("as it was")

    async def enter() -> Exception | None:
        try:
            async with breaker.async_block():
                raise raised
        except Exception as error:
            return error
        return None

    caught = lab.run(enter())
    lab.check(caught is not None, "the exception is swallowed")
    lab.check(caught is raised, f"it surfaces as {type(caught).__name__}")


@scenario()
def nested_blocks_each_count(lab: Lab) -> None:
    """A block in a block of the same breaker: each counts, and each for itself."""
    _rejecting(lab)
    breaker = _sync(lab)

    def outer_fails(breaker: Breaker) -> None:
        with breaker.block():
            with breaker.block():
                pass
            raise Boom

    def inner_fail(breaker: Breaker) -> None:
        with breaker.block():
            for _ in range(THREE):
                with contextlib.suppress(Boom, breaker.open_error), breaker.block():
                    raise Boom

    with contextlib.suppress(breaker.open_error):
        inner_fail(breaker)
    lab.check(_rejected(breaker), "the inner blocks' failures don't count")
    _nothing_in_flight(lab, breaker)
    breaker = _sync(lab, Settings(threshold=1))
    with contextlib.suppress(Boom, breaker.open_error):
        outer_fails(breaker)
    lab.check(_rejected(breaker), "the outer block's failure doesn't count")
    _nothing_in_flight(lab, breaker)


@scenario()
def nested_async_blocks_each_count(lab: Lab) -> None:
    """Likewise `async with` in `async with`."""
    _async_rejecting(lab)
    breaker = _async(lab, Settings(threshold=1))

    async def outer_fails() -> None:
        async with breaker.async_block():
            async with breaker.async_block():
                pass
            raise Boom

    with contextlib.suppress(Boom):
        lab.run(outer_fails())
    lab.check(lab.run(_async_rejected(breaker)), "the outer block's failure doesn't count")
    _nothing_in_flight(lab, breaker)


@scenario()
def blocks_in_threads_each_count(lab: Lab) -> None:
    """Blocks of one breaker, entered by several threads at once, each count."""
    _rejecting(lab)
    breaker = _sync(lab)
    inside: list[int] = []
    leave = threading.Event()

    def enter() -> None:
        with contextlib.suppress(Boom, breaker.open_error), breaker.block():
            inside.append(1)
            leave.wait()
            raise Boom

    done = [lab.beside(enter) for _ in range(THREE)]
    until(lambda: len(inside) == THREE)
    at_once = len(inside)
    leave.set()
    lab.check(at_once == THREE, f"{at_once} of {THREE} are inside at once")
    for each in done:
        each.result(2.0)
    lab.check(_rejected(breaker), f"{THREE} blocks failed and it is not open")
    _nothing_in_flight(lab, breaker)


@scenario()
def blocks_in_tasks_each_count(lab: Lab) -> None:
    """Blocks of one breaker, entered by several tasks at once, each count."""
    _async_rejecting(lab)
    breaker = _async(lab)

    async def at_once() -> int:
        leave = asyncio.Event()
        inside = []

        async def enter() -> None:
            async with breaker.async_block():
                inside.append(1)
                await leave.wait()
                raise Boom

        tasks = [asyncio.ensure_future(enter()) for _ in range(THREE)]
        for _ in range(50):
            await asyncio.sleep(0)
        count = len(inside)
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return count

    count = lab.run(at_once())
    lab.check(count == THREE, f"{count} of {THREE} are inside at once")
    lab.check(lab.run(_async_rejected(breaker)), f"{THREE} blocks failed and it is not open")
    _nothing_in_flight(lab, breaker)


@scenario()
def exit_stacks_hold_blocks(lab: Lab) -> None:
    """`ExitStack` enters it: what fails in the stack counts and goes on, and open it rejects."""
    _rejecting(lab)
    breaker = _sync(lab)

    def fail() -> str:
        try:
            with contextlib.ExitStack() as stack:
                stack.enter_context(breaker.block())
                raise Boom
        except Boom:
            return "ran"
        except breaker.open_error as error:
            return "ran" if isinstance(error.__context__, Boom) else "rejected"
        return "swallowed"

    for _ in range(THREE):
        lab.check(fail() == "ran", "what fails in the stack does not go on")
    lab.check(fail() == "rejected", "the block of an open breaker runs")
    _nothing_in_flight(lab, breaker)


@scenario()
def async_exit_stacks_hold_blocks(lab: Lab) -> None:
    """`AsyncExitStack` enters it: what fails in the stack counts, and open it rejects."""
    _async_rejecting(lab)
    breaker = _async(lab)

    async def fail() -> str:
        try:
            async with contextlib.AsyncExitStack() as stack:
                await stack.enter_async_context(breaker.async_block())
                raise Boom
        except Boom:
            return "ran"
        except breaker.open_error:
            return "rejected"
        return "swallowed"

    for _ in range(THREE):
        lab.check(lab.run(fail()) == "ran", "what fails in the stack does not go on")
    lab.check(lab.run(fail()) == "rejected", "the block of an open breaker runs")
    _nothing_in_flight(lab, breaker)


@scenario()
def exit_stacks_close_elsewhere(lab: Lab) -> None:
    """A stack filled in one thread and closed in another settles its block."""
    _rejecting(lab)
    breaker = lab.breaker(Settings(threshold=1))
    stack = contextlib.ExitStack()
    stack.enter_context(breaker.block())

    def close() -> None:
        with contextlib.suppress(Boom, breaker.open_error), stack:
            raise Boom

    try:
        lab.beside(close).result(2.0)
    except Exception as error:
        lab.check(False, f"closing it in another thread raises {type(error).__name__}")
    lab.check(_rejected(breaker), "its failure doesn't count")
    _nothing_in_flight(lab, breaker)


def _sync(lab: Lab, settings: Settings | None = None) -> Breaker:
    breaker = lab.breaker(settings)
    _need_manager(breaker.block(), "__enter__")
    return breaker


def _async(lab: Lab, settings: Settings | None = None) -> Breaker:
    breaker = lab.breaker(settings)
    _need_manager(breaker.async_block(), "__aenter__")
    return breaker


def _rejecting(lab: Lab) -> None:
    """Go on if failures in blocks have an effect at all: `with-rejects-when-open` tells."""
    breaker = _sync(lab)
    for _ in range(THREE):
        with contextlib.suppress(Boom, breaker.open_error), breaker.block():
            raise Boom
    lab.need(_rejected(breaker), "blocks are not judged at all")


def _async_rejecting(lab: Lab) -> None:
    """Likewise of `async with`."""
    breaker = _async(lab)

    async def fail() -> None:
        with contextlib.suppress(Boom, breaker.open_error):
            async with breaker.async_block():
                raise Boom

    for _ in range(THREE):
        lab.run(fail())
    rejected = lab.run(_async_rejected(breaker))
    lab.need(rejected, "async blocks are not judged at all")


def _rejected(breaker: Breaker) -> bool:
    try:
        with breaker.block():
            return False
    except breaker.open_error:
        return True


async def _async_rejected(breaker: Breaker) -> bool:
    try:
        async with breaker.async_block():
            return False
    except breaker.open_error:
        return True


def _nothing_in_flight(lab: Lab, breaker: Breaker) -> None:
    left = breaker.in_flight()
    lab.check(not left, f"{left} still count as in flight")


def _need_manager(block: object, method: str) -> None:
    if not hasattr(type(block), method):
        raise Refused("not a context manager: TypeError")
