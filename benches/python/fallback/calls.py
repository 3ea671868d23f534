"""What a fallback costs: a call that goes well, and one that is answered for."""

import functools
from collections.abc import Callable
from typing import Any

from benches.python.functions import (
    MakeDecorator,
    always,
    failing,
    failing_async,
    nothing,
    one,
    one_async,
)
from benches.python.harness import AGAIN, BARE, AsyncFunction, Function, Race, Setup
from benches.python.hosts import on_asyncio
from benches.python.ours import fresh_name, package, pipeline

SYNC = "fallback, sync success"
ASYNC = "fallback, async success"
FAILS = "fallback, a failure"
FAILS_ASYNC = "fallback, an async failure"

FLOOR = "seawall empty pipeline"
VALUE = "seawall fallback, a value"
CALL = "seawall fallback, a function"
STALE = "seawall fallback, from memory"
BY_HAND = "try and except by hand, a value"
BY_HAND_CALL = "try and except by hand, a function"

# What the bare call is to everybody: the same call, and the least that an except can be.
BARE_BODY = """\
try:
    {call}
except ValueError:
    pass
"""


def answer(_: object, x: object) -> object:
    """A provider."""
    return x


def fallback(*providers: Any, **settings: Any) -> Any:
    """Answers for `ValueError`."""
    chosen = {"on": ValueError} | settings
    return package().Fallback(*providers, name=fresh_name("fallback"), **chosen)


def value() -> Any:
    """Answers with a value."""
    return fallback(None)


def call() -> Any:
    """Asks a function."""
    return fallback(answer)


def stale() -> Any:
    """Remembers the last good answer."""
    return fallback(stale=3600)


def by_hand(function: Function) -> Function:
    """What a programmer writes: a decorator with a default."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ValueError:
            return None

    return wrapper


def by_hand_call(function: Function) -> Function:
    """The same with a function to ask."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            return answer(error, *args, **kwargs)

    return wrapper


def by_hand_async(function: AsyncFunction) -> AsyncFunction:
    """The same for a coroutine function."""

    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except ValueError:
            return None

    return wrapper


def _entries(
    made: dict[str, MakeDecorator], function: Function, call: str, bare: str
) -> dict[str, Callable[[], Setup]]:
    def entry(name: str, make: MakeDecorator) -> Callable[[], Setup]:
        body = bare if name in (BARE, AGAIN) else call
        return lambda: Setup(body, f=make()(function))

    both = {BARE: always(nothing), AGAIN: always(nothing)} | made
    return {name: entry(name, make) for name, make in both.items()}


_ours: dict[str, MakeDecorator] = {FLOOR: pipeline, VALUE: value, CALL: call, STALE: stale}
_sync = {BY_HAND: always(by_hand)} | _ours
_async = {BY_HAND: always(by_hand_async)} | _ours
_fails: dict[str, MakeDecorator] = {
    BY_HAND: always(by_hand),
    BY_HAND_CALL: always(by_hand_call),
    VALUE: value,
    CALL: call,
}
_fails_async: dict[str, MakeDecorator] = {
    BY_HAND: always(by_hand_async),
    VALUE: value,
    CALL: call,
}

RACES = [
    Race(SYNC, "The call goes well.", _entries(_sync, one, "f(x)", "f(x)")),
    Race(
        ASYNC,
        "It returns without suspending.",
        _entries(_async, one_async, "await f(x)", "await f(x)"),
        asynchronous=True,
        host=on_asyncio,
    ),
    Race(
        FAILS,
        "The call raises, and is answered for.",
        _entries(_fails, failing, "f(x)", BARE_BODY.format(call="f(x)")),
    ),
    Race(
        FAILS_ASYNC,
        "The same for a coroutine function.",
        _entries(_fails_async, failing_async, "await f(x)", BARE_BODY.format(call="await f(x)")),
        asynchronous=True,
        host=on_asyncio,
    ),
]
