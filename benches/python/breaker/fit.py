"""Which decorators stand in a race: CPython's own, seawall's and the peers', by name.

Every factory makes a fresh decorator. Two functions that it decorates share one breaker.
"""

import functools
from collections.abc import Callable
from typing import Any

from benches.python.harness import AGAIN, AsyncFunction, Function

from . import names, ours
from .peers import PEERS, Decorator

MakeDecorator = Callable[[], Decorator]


def one(x: object) -> object:
    """The call that everything is measured against."""
    return x


def failing(x: object) -> None:
    """Raises a fresh exception each time."""
    raise ValueError(x)


async def one_async(x: object) -> object:
    """The coroutine that everything is measured against; it never suspends."""
    return x


async def failing_async(x: object) -> None:
    """Raises a fresh exception each time."""
    raise ValueError(x)


def nothing(function: Function) -> Function:
    """The decorator of the bare call."""
    return function


def pass_through(function: Function) -> Function:
    """The least that a decorator written in Python can be."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def pass_through_async(function: AsyncFunction) -> AsyncFunction:
    """The least that a decorator of coroutine functions written in Python can be."""

    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper


def always(decorator: Decorator) -> MakeDecorator:
    """A decorator without state needs no factory: this is one."""
    return lambda: decorator


def baselines() -> dict[str, MakeDecorator]:
    """What CPython itself has to offer."""
    return {
        AGAIN: always(nothing),
        names.PARTIAL: always(functools.partial),
        names.LRU_CACHE: always(functools.lru_cache(maxsize=None)),
        names.PY_WRAPPER: always(pass_through),
    }


def baselines_async() -> dict[str, MakeDecorator]:
    """The same for coroutine functions."""
    return {AGAIN: always(nothing), names.PY_WRAPPER: always(pass_through_async)}


def succeeding() -> dict[str, MakeDecorator]:
    """All that can stand before a function and let it succeed."""
    peers = {peer.name: peer.closed for peer in PEERS if peer.closed is not None}
    return baselines() | ours.plain() | peers


def succeeding_async() -> dict[str, MakeDecorator]:
    """All that can stand before a coroutine function and let it succeed."""
    peers = {peer.name: peer.closed_async for peer in PEERS if peer.closed_async is not None}
    return baselines_async() | ours.plain() | peers
