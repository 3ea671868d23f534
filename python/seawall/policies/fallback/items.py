"""Items in the place of a generator's: whatever can be iterated, as a generator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Generator, Iterable
from typing import Any, TypeAlias

__all__ = ["each", "each_async"]

Items: TypeAlias = Iterable[Any] | AsyncIterable[Any]


def each(answer: Iterable[Any]) -> Generator[Any, Any, Any]:
    """The items of ``answer``."""
    yield from answer


async def each_async(answer: Items | Awaitable[Items]) -> AsyncGenerator[Any, None]:
    """The items of ``answer``, or of what awaiting it gives, which may be awaited themselves."""
    items = await answer if isinstance(answer, Awaitable) else answer
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
