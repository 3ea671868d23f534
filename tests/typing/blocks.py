"""What the type checkers see of blocks. Checked, never run."""

import contextlib
from typing import assert_type

import seawall

breaker = seawall.CircuitBreaker("typed")
guard = seawall.Pipeline("typed", breaker)


def returns() -> int:
    """A block swallows nothing: what follows one that returns is never reached."""
    with breaker, guard:
        return 1


async def returns_later() -> int:
    """Nor does an asynchronous one."""
    async with breaker, guard:
        return 1


async def values() -> None:
    """Its value is what was entered, by the statement and by stacks."""
    with breaker as policy, guard as pipeline, breaker.block(key=1) as block:
        assert_type(policy, seawall.CircuitBreaker)
        assert_type(pipeline, seawall.Pipeline)
        block.call(int)
    async with breaker as policy, guard as pipeline:
        assert_type(policy, seawall.CircuitBreaker)
        assert_type(pipeline, seawall.Pipeline)
    with contextlib.ExitStack() as stack:
        assert_type(stack.enter_context(breaker), seawall.CircuitBreaker)
    async with contextlib.AsyncExitStack() as later:
        assert_type(await later.enter_async_context(guard), seawall.Pipeline)
    plain: contextlib.AbstractContextManager[object, None] = breaker
    asynchronous: contextlib.AbstractAsyncContextManager[object, None] = guard
    print(plain, asynchronous)


@breaker
def still_a_decorator(order: int) -> str:
    """Keeps its signature."""
    return str(order)


assert_type(still_a_decorator(1), str)
