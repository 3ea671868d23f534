"""Items in the place of a generator's: whatever can be iterated, as a generator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from inspect import isawaitable
from typing import Any

__all__ = ["each", "each_async"]


def each(answer: Any) -> Generator[Any, Any, Any]:
    """The items of ``answer``."""
    return (yield from answer)


async def each_async(answer: Any) -> AsyncGenerator[Any, Any]:
    """The items of ``answer``, or of what awaiting it gives, which may be awaited themselves."""
    if isawaitable(answer):
        answer = await answer
    if hasattr(type(answer), "__aiter__"):
        async for item in answer:
            yield item
    else:
        for item in answer:
            yield item
