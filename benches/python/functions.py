"""The functions that everything is measured on, and the least that a decorator can be."""

import functools
from collections.abc import Callable
from typing import Any

from .harness import AsyncFunction, Function

Decorator = Callable[[Function], Function]
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
