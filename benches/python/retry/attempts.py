"""What an attempt costs: the function fails twice and then succeeds, and nobody waits."""

import asyncio
import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from typing import Any
from unittest import mock

from benches.python.functions import MakeDecorator, always, nothing
from benches.python.harness import AGAIN, BARE, AsyncFunction, Drive, Function, Race, Setup, drive
from benches.python.hosts import on_asyncio

from . import ours
from .peers import ATTEMPTS, PEERS

SYNC = "retry, three attempts"
AT_ONCE = "retry, three attempts at once"
ASYNC = "retry, three async attempts"
BY_HAND = "a loop written by hand"

BASE = 0.1
CAP = 5.0

# What the bare call is to everybody: the same three calls, with no thought given to any.
BARE_BODY = """\
try:
    {call}
except ValueError:
    try:
        {call}
    except ValueError:
        {call}
"""


def _asleep_not(seconds: float, who: object = None) -> None:
    """In place of a sleep."""


@contextmanager
def sleepless() -> Iterator[Drive]:
    """Everybody works out how long to wait, and sleeps by a function that does not."""
    with (
        mock.patch.object(time, "sleep", _asleep_not),
        mock.patch.object(import_module("seawall.waiting"), "sleep", _asleep_not),
    ):
        yield drive


def by_hand(function: Function) -> Function:
    """What a careful programmer writes: limited attempts, chosen errors, backoff, full jitter."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for attempt in count(1):
            try:
                return function(*args, **kwargs)
            except ValueError:
                if attempt >= ATTEMPTS:
                    raise
            time.sleep(random.uniform(0, min(CAP, BASE * 2 ** (attempt - 1))))
        raise AssertionError

    return wrapper


def at_once(function: Function) -> Function:
    """The least there is: limited attempts, chosen errors, no backoff."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for attempt in range(ATTEMPTS):
            try:
                return function(*args, **kwargs)
            except ValueError:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError

    return wrapper


def by_hand_async(function: AsyncFunction) -> AsyncFunction:
    """The same for a coroutine function; like everybody it lets others run before it goes on."""

    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        for attempt in count(1):
            try:
                return await function(*args, **kwargs)
            except ValueError:
                if attempt >= ATTEMPTS:
                    raise
            await asyncio.sleep(random.uniform(0, min(CAP, 0.0 * 2 ** (attempt - 1))))
        raise AssertionError

    return wrapper


def flaky() -> Function:
    """Fails at two of three calls, with a fresh exception each."""
    calls = count(1)

    def function(x: object) -> object:
        if next(calls) % ATTEMPTS:
            raise ValueError(x)
        return x

    return function


def flaky_async() -> AsyncFunction:
    """The same as a coroutine function."""
    calls = count(1)

    async def function(x: object) -> object:
        if next(calls) % ATTEMPTS:
            raise ValueError(x)
        return x

    return function


def _entries(
    made: dict[str, MakeDecorator], function: Callable[[], Function], call: str
) -> dict[str, Callable[[], Setup]]:
    bare = BARE_BODY.format(call=call)

    def entry(name: str, make: MakeDecorator) -> Callable[[], Setup]:
        body = bare if name in (BARE, AGAIN) else call
        return lambda: Setup(body, f=make()(function()))

    both = {BARE: always(nothing), AGAIN: always(nothing)} | made
    return {name: entry(name, make) for name, make in both.items()}


_sync: dict[str, MakeDecorator] = {BY_HAND: always(by_hand), ours.RETRY: ours.backing_off}
_at_once: dict[str, MakeDecorator] = {BY_HAND: always(at_once), ours.RETRY: ours.retry}
_async: dict[str, MakeDecorator] = {BY_HAND: always(by_hand_async), ours.RETRY: ours.retry}
_sync |= {peer.name: peer.sync for peer in PEERS if peer.sync is not None}
_async |= {peer.name: peer.asynchronous for peer in PEERS}

RACES = [
    Race(
        SYNC,
        "The function fails twice and then succeeds. Everybody works out delays, "
        "and sleeps by a function that returns at once.",
        _entries(_sync, flaky, "f(x)"),
        host=sleepless,
    ),
    Race(
        AT_ONCE,
        "The same without any backoff.",
        _entries(_at_once, flaky, "f(x)"),
    ),
    Race(
        ASYNC,
        "The same for a coroutine function. Before each attempt others may run, for no time.",
        _entries(_async, flaky_async, "await f(x)"),
        asynchronous=True,
        host=on_asyncio,
    ),
]
