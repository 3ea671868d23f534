"""What a hedge costs a call that is answered before its delay: nearly all calls."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benches.python.functions import MakeDecorator, one, one_async
from benches.python.harness import AGAIN, BARE, Function, Race, Setup
from benches.python.hosts import on_asyncio, on_uvloop, waiting
from benches.python.ours import fresh_name, package

WAITING = "hedge, a future"
WAITING_UVLOOP = "hedge, a future, uvloop"
STRAIGHT = "hedge, no suspension"
THREADS = "hedge, threads"

OURS = "seawall hedge"
OURS_QUANTILE = "seawall hedge, quantile"
TASK = "asyncio.create_task"
WAIT_FOR = "asyncio.wait_for"
WAIT = "asyncio.wait, one task"
EXECUTOR = "ThreadPoolExecutor.submit().result()"

MINUTE = 60.0

Entries = Mapping[str, Callable[[], Setup]]


def hedge(**settings: Any) -> Any:
    """After a minute, which no scenario lasts."""
    return package().Hedge(fresh_name("hedge"), **{"delay": MINUTE, **settings})


def quantile() -> Any:
    """A delay that no call comes to, and that each call's latency is counted for."""
    return hedge(delay=package().quantile(0.95, min_samples=100, min_delay=MINUTE))


async def _wait(work: Coroutine[Any, Any, object]) -> object:
    """As a hedge may be written by hand."""
    done, _ = await asyncio.wait({asyncio.create_task(work)}, timeout=MINUTE)
    return done.pop().result()


def _under(make: MakeDecorator, function: Function, body: str) -> Callable[[], Setup]:
    return lambda: Setup(body, f=make()(function))


def tasks(function: Function) -> Entries:
    """A coroutine function, and ways to wait for another task."""
    call = "await f(x)"
    return {
        BARE: lambda: Setup(call, f=function),
        AGAIN: lambda: Setup(call, f=function),
        TASK: lambda: Setup("await o(f(x))", f=function, o=asyncio.create_task),
        WAIT_FOR: lambda: Setup("await o(f(x), 60.0)", f=function, o=asyncio.wait_for),
        WAIT: lambda: Setup("await o(f(x))", f=function, o=_wait),
        OURS: _under(hedge, function, call),
        OURS_QUANTILE: _under(quantile, function, call),
    }


def threads() -> Entries:
    """A plain function in another thread, and its caller waits."""
    return {
        BARE: lambda: Setup(f=one),
        AGAIN: lambda: Setup(f=one),
        OURS: _under(hedge, one, "f(x)"),
        EXECUTOR: lambda: Setup("o(f, x).result(60.0)", f=one, o=ThreadPoolExecutor(1).submit),
    }


_future = "It waits for a future that the loop completes in its next round."

RACES = [
    Race(WAITING, _future, tasks(waiting), asynchronous=True, host=on_asyncio),
    Race(WAITING_UVLOOP, _future, tasks(waiting), asynchronous=True, host=on_uvloop),
    Race(
        STRAIGHT,
        "It returns without suspending; asyncio's loop runs.",
        tasks(one_async),
        asynchronous=True,
        host=on_asyncio,
    ),
    Race(THREADS, "A plain function in another thread, and its caller waits.", threads()),
]
