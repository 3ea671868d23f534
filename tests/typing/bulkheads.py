"""What the type checkers see of a bulkhead. Checked, never run."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import assert_type

import seawall


@seawall.bulkhead
def bare(number: int) -> str:
    """A plain function."""
    return str(number)


@seawall.bulkhead("called", max_concurrent=3, max_wait=timedelta(seconds=1), max_queue=9)
async def called(number: int) -> str:
    """A coroutine function."""
    return str(number)


@seawall.Bulkhead("instance", key="number", pool=None)
async def items(number: int) -> AsyncIterator[int]:
    """An async generator function."""
    yield number


async def uses() -> None:
    """What is got from them."""
    assert_type(bare(1), str)
    assert_type(await called(1), str)
    async for item in items(1):
        assert_type(item, int)
    policy = seawall.Bulkhead(max_concurrent=2)
    assert_type(policy.snapshot().waiting, int)
    assert_type(policy.call(bare, 1), str)
    policy.reconfigure(max_wait=0.5)
    with policy:
        pass
    async with policy, policy.block(key="a"):
        pass


bare("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
seawall.Bulkhead(max_concurrent="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
