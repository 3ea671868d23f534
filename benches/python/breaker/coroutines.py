"""The same for coroutine functions, driven by hand: no event loop stands between.

One coroutine awaits all calls of a sample, so what is measured is the call, its awaiting and
its end. A loop's own cost would be the same for everybody, and many times as large.
"""

import asyncio
import types
from collections.abc import Callable, Generator
from typing import Any

from benches.python.functions import (
    MakeDecorator,
    always,
    failing_async,
    nothing,
    one_async,
    pass_through_async,
)
from benches.python.harness import AGAIN, BARE, Race, Setup
from benches.python.ours import pipeline

from . import names, ours
from .fit import succeeding_async
from .outcomes import RUN_OF_FAILURES
from .peers import PEERS
from .sync_calls import Entries

SUCCESS = "async success"
METHOD = "async success, method"
SUSPENDING = "async success, one suspension"
BLOCK = "async block"
FAILURE = "async failure"
REJECTION = "async rejection"

FAIL = "try:\n    await f(x)\nexcept ValueError:\n    pass"
CATCH = "try:\n    await f(x)\nexcept Exception:\n    pass"


@types.coroutine
def _suspend() -> Generator[None]:
    yield


async def suspending(x: object) -> object:
    """Gives way to the loop once."""
    await _suspend()
    return x


async def method(self: object, x: object) -> object:  # noqa: ARG001 - a method has it
    """A method's body."""
    return x


def decorated(function: Callable[..., Any]) -> Entries:
    """The bare coroutine function and all decorators around it."""

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup("await f(x)", f=make()(function))

    made = {BARE: always(nothing)} | succeeding_async()
    return {name: entry(make) for name, make in made.items()}


def methods() -> Entries:
    """Each on a class of its own."""

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup("await o.m(x)", o=type("Service", (), {"m": make()(method)})())

    made = {BARE: always(nothing)} | succeeding_async()
    return {name: entry(make) for name, make in made.items()}


def blocks() -> Entries:
    """``async with``: the call inside is bare."""

    def entry(make: Callable[[], Any]) -> Callable[[], Setup]:
        return lambda: Setup("async with o:\n    await f(x)", f=one_async, o=make())

    return {
        BARE: lambda: Setup("await f(x)", f=one_async),
        AGAIN: lambda: Setup("await f(x)", f=one_async),
        names.SEMAPHORE: entry(lambda: asyncio.Semaphore(100)),
        names.COUNT: entry(ours.count_window),
        names.TIME: entry(ours.time_window),
        **{peer.name: entry(peer.block_async) for peer in PEERS if peer.block_async is not None},
    }


def failures() -> Entries:
    """The exception goes through. An untimed success stands before each 32 failures."""

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        def setup() -> Setup:
            decorate = make()
            return Setup(
                FAIL,
                f=decorate(failing_async),
                g=decorate(one_async),
                prelude="await g(x)",
                unroll=RUN_OF_FAILURES,
            )

        return setup

    peers = {peer.name: peer.closed_async for peer in PEERS if peer.closed_async is not None}
    made: dict[str, MakeDecorator] = {
        BARE: always(nothing),
        AGAIN: always(nothing),
        names.PY_WRAPPER: always(pass_through_async),
        names.FLOOR: pipeline,
    }
    return {name: entry(make) for name, make in (made | ours.tolerant() | peers).items()}


def rejections() -> Entries:
    """The circuit is open; bare is a coroutine function that raises."""

    def entry(
        make: MakeDecorator, between: Callable[[], None] | None = None
    ) -> Callable[[], Setup]:
        return lambda: Setup(CATCH, f=make()(one_async), between=between)

    return {
        BARE: lambda: Setup(CATCH, f=failing_async),
        AGAIN: lambda: Setup(CATCH, f=failing_async),
        names.OPENED: entry(ours.opened),
        names.FORCED: entry(ours.forced),
        names.TRY_CALL: lambda: Setup("await o.try_call(f, x)", f=one_async, o=ours.opened()),
        **{
            peer.name: entry(peer.opened_async, peer.between)
            for peer in PEERS
            if peer.opened_async is not None
        },
    }


RACES = [
    Race(SUCCESS, "It returns without suspending.", decorated(one_async), asynchronous=True),
    Race(METHOD, "A method that returns without suspending.", methods(), asynchronous=True),
    Race(SUSPENDING, "It suspends once.", decorated(suspending), asynchronous=True),
    Race(BLOCK, "A block around a bare await.", blocks(), asynchronous=True),
    Race(FAILURE, "It raises a fresh `ValueError`.", failures(), asynchronous=True),
    Race(REJECTION, "The circuit is open.", rejections(), asynchronous=True),
]
