"""What a limit of time costs a call that keeps within it."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from benches.python.functions import MakeDecorator, one, one_async
from benches.python.harness import AGAIN, BARE, Function, Race, Setup
from benches.python.hosts import on_asyncio, on_uvloop, waiting
from benches.python.ours import fresh_name, package, pipeline

WAITING = "timeout, a future"
WAITING_UVLOOP = "timeout, a future, uvloop"
STRAIGHT = "timeout, no suspension"
SYNC = "timeout, sync"
THREADS = "timeout, threads"

FLOOR = "seawall empty pipeline"
OURS = "seawall timeout"
OURS_BLOCK = "seawall deadline, block"
POOLED = "seawall timeout, pool of threads"
BLOCK = "asyncio.timeout"
WAIT_FOR = "asyncio.wait_for"
VARIABLE = "a context variable, set and reset"
EXECUTOR = "ThreadPoolExecutor.submit().result()"

MINUTE = 60.0

Entries = Mapping[str, Callable[[], Setup]]


def timeout(**settings: Any) -> Any:
    """A minute, which no scenario lasts."""
    return package().timeout(MINUTE, name=fresh_name("timeout"), **settings)


def _pyresilience() -> Any:
    pyresilience = import_module("pyresilience")
    return pyresilience.resilient(timeout=pyresilience.TimeoutConfig(seconds=MINUTE))


def _variable(call: str, function: Function) -> Setup:
    """What it takes at least to tell those inside of anything."""
    variable: ContextVar[object] = ContextVar("bench")
    return Setup(f"t = o(x)\n{call}\ng(t)", f=function, o=variable.set, g=variable.reset)


def _under(make: MakeDecorator, function: Function, body: str) -> Callable[[], Setup]:
    return lambda: Setup(body, f=make()(function))


def limits(function: Function) -> Entries:
    """A coroutine function under each way to bound it."""
    call = "await f(x)"
    return {
        BARE: lambda: Setup(call, f=function),
        AGAIN: lambda: Setup(call, f=function),
        VARIABLE: lambda: _variable(call, function),
        FLOOR: _under(pipeline, function, call),
        OURS: _under(timeout, function, call),
        OURS_BLOCK: lambda: Setup(
            "async with o(60.0):\n    await f(x)", f=function, o=package().deadline
        ),
        BLOCK: lambda: Setup("async with o(60.0):\n    await f(x)", f=function, o=asyncio.timeout),
        WAIT_FOR: lambda: Setup("await o(f(x), 60.0)", f=function, o=asyncio.wait_for),
        # As a decorator it needs a running loop at decoration.
        "hyx, block": lambda: Setup(
            "async with o(60.0):\n    await f(x)",
            f=function,
            o=import_module("hyx.timeout").timeout,
        ),
        "pyresilience": _under(_pyresilience, function, call),
    }


def plain() -> Entries:
    """A plain function gets a deadline that its clients may ask for."""
    return {
        BARE: lambda: Setup(f=one),
        AGAIN: lambda: Setup(f=one),
        VARIABLE: lambda: _variable("f(x)", one),
        FLOOR: _under(pipeline, one, "f(x)"),
        OURS: _under(timeout, one, "f(x)"),
        OURS_BLOCK: lambda: Setup("with o(60.0):\n    f(x)", f=one, o=package().deadline),
    }


def threads() -> Entries:
    """It runs in another thread, for which its caller waits so long at most."""
    return {
        BARE: lambda: Setup(f=one),
        AGAIN: lambda: Setup(f=one),
        POOLED: _under(lambda: timeout(pool="threads"), one, "f(x)"),
        EXECUTOR: lambda: Setup("o(f, x).result(60.0)", f=one, o=ThreadPoolExecutor(1).submit),
        "pyresilience": _under(_pyresilience, one, "f(x)"),
    }


_future = "It waits for a future that the loop completes in its next round."

RACES = [
    Race(WAITING, _future, limits(waiting), asynchronous=True, host=on_asyncio),
    Race(WAITING_UVLOOP, _future, limits(waiting), asynchronous=True, host=on_uvloop),
    Race(
        STRAIGHT,
        "It returns without suspending; asyncio's loop runs.",
        limits(one_async),
        asynchronous=True,
        host=on_asyncio,
    ),
    Race(SYNC, "A plain function, which only learns of its deadline.", plain()),
    Race(THREADS, "A plain function in another thread, and its caller waits.", threads()),
]
