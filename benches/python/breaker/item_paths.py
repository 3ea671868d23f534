"""Paths of generators and of keys, for the leak check: each is called a great many times."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from typing import Any

from benches.python.functions import one
from benches.python.harness import drive

from . import ours

Path = Callable[[object], object]

#: So many keys a keyed breaker keeps where more come than that.
FEW = 100


class GoneError(Exception):
    """What a consumer throws in."""


def items(x: object) -> Iterator[object]:
    """Two items."""
    yield x
    yield x


async def items_async(x: object) -> AsyncIterator[object]:
    """Two items, without waiting."""
    yield x
    yield x


def paths() -> dict[str, Callable[[], Path]]:
    """How each is made, by its name."""
    return {
        "generator, to its end": lambda: _items(_exhaust),
        "generator, closed": lambda: _items(lambda it: (next(it), it.close())),
        "generator, thrown into": lambda: _items(_throw),
        "generator, dropped at an item": lambda: _items(next),
        "generator, refused": _refused,
        "async generator, to its end": lambda: _items_async(_exhaust_async),
        "async generator, closed": lambda: _items_async(_close_async),
        "async generator, thrown into": lambda: _items_async(_throw_async),
        "async generator, dropped at an item": lambda: _items_async(_next_async),
        "async generator, refused": _refused_async,
        "keyed, one key": _one_key,
        "keyed, keys that come and go": _many_keys,
        "keyed, rejection": _key_refused,
        "keyed, generator": _key_items,
    }


def _items(consume: Callable[[Any], object]) -> Path:
    protected = ours.count_window()(items)
    return lambda x: consume(protected(x))


def _exhaust(generator: Iterator[object]) -> None:
    for _ in generator:
        pass


def _throw(generator: Any) -> None:
    next(generator)
    with contextlib.suppress(GoneError):
        generator.throw(GoneError())


def _refused() -> Path:
    protected = ours.opened()(items)

    def path(x: object) -> None:
        with contextlib.suppress(Exception):
            next(protected(x))

    return path


def _items_async(consume: Callable[[Any], Any]) -> Path:
    protected = ours.count_window()(items_async)
    return lambda x: drive(consume(protected(x)))


async def _exhaust_async(generator: AsyncIterator[object]) -> None:
    async for _ in generator:
        pass


async def _next_async(generator: AsyncIterator[object]) -> None:
    await anext(generator)


async def _close_async(generator: Any) -> None:
    await anext(generator)
    await generator.aclose()


async def _throw_async(generator: Any) -> None:
    await anext(generator)
    with contextlib.suppress(GoneError):
        await generator.athrow(GoneError())


def _refused_async() -> Path:
    protected = ours.opened()(items_async)

    async def consume(x: object) -> None:
        with contextlib.suppress(Exception):
            await anext(protected(x))

    return lambda x: drive(consume(x))


def _one_key() -> Path:
    protected = ours.count_window(key="x")(one)

    def path(x: object) -> object:
        return protected(x)

    return path


def _many_keys() -> Path:
    """Most calls make a circuit, and another's is forgotten for it."""
    protected = ours.count_window(key="key", max_keys=FEW)(_keyed)
    numbers = count()

    def path(x: object) -> object:
        return protected(x, next(numbers) % (10 * FEW))

    return path


def _keyed(x: object, key: object) -> object:  # noqa: ARG001 - the breaker looks at it
    return x


def _key_refused() -> Path:
    breaker = ours.count_window(key="x")
    breaker.force_open()
    protected = breaker(one)

    def path(x: object) -> None:
        with contextlib.suppress(Exception):
            protected(x)

    return path


def _key_items() -> Path:
    protected = ours.count_window(key="x")(items)

    def path(x: object) -> None:
        for _ in protected(x):
            pass

    return path
