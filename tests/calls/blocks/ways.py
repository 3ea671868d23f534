"""The two ways to write a block, and what their tests have in common."""

import contextlib


class TroubleError(Exception):
    """A failure."""


class With:
    """Plain blocks."""

    name = "with"
    manager = contextlib.AbstractContextManager
    stack = contextlib.ExitStack
    halves = ("__enter__", "__exit__")

    @staticmethod
    async def inside(guard, body):
        """Runs `body` with what the block gives."""
        with guard as value:
            return body(value)

    @staticmethod
    async def enter(stack, guard):
        """Enters by a stack."""
        return stack.enter_context(guard)

    @staticmethod
    async def close(stack):
        """Closes a stack."""
        stack.close()

    @staticmethod
    async def by_hand(half, *told):
        """Calls one half."""
        return half(*told)


class AsyncWith(With):
    """Asynchronous blocks."""

    name = "async with"
    manager = contextlib.AbstractAsyncContextManager
    stack = contextlib.AsyncExitStack
    halves = ("__aenter__", "__aexit__")

    @staticmethod
    async def inside(guard, body):
        """Runs `body` with what the block gives."""
        async with guard as value:
            return body(value)

    @staticmethod
    async def enter(stack, guard):
        """Enters by a stack."""
        return await stack.enter_async_context(guard)

    @staticmethod
    async def close(stack):
        """Closes a stack."""
        await stack.aclose()

    @staticmethod
    async def by_hand(half, *told):
        """Calls one half and awaits what it gives."""
        return await half(*told)


def fail(_):
    """Fails."""
    raise TroubleError


NONE = (None, None, None)
