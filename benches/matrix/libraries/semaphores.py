"""What Python itself has: semaphores, put around a call by hand."""

from __future__ import annotations

import asyncio
import functools
import platform
import threading
from typing import Any

from benches.matrix.adapter import Adapter, Function
from benches.matrix.policies import Guard, Space
from benches.matrix.verdict import NotApplicable


class _Full(Exception):
    """Nobody is refused by a semaphore, unless the program does so."""


def _alone(space: Space) -> None:
    if not space.wait:
        raise NotApplicable("nobody is refused")
    if space.queue is not None:
        raise NotApplicable("as many wait as come")


class _Python(Adapter):
    policies = ("bulkhead",)

    @classmethod
    def version(cls) -> str | None:
        """Python's own."""
        return platform.python_version()


class ThreadingSemaphore(_Python):
    """Of threads."""

    name = "threading.Semaphore"
    module = "threading"
    kinds = ("sync",)
    caveat = "`acquire(timeout=...)`, and an error of one's own."

    def bulkhead(self, space: Space) -> Guard:
        _alone(space)
        semaphore = threading.Semaphore(space.permits)

        def protect(function: Function) -> Function:
            @functools.wraps(function)
            def wrapper(*args: Any) -> Any:
                if not semaphore.acquire(timeout=space.wait):
                    raise _Full
                try:
                    return function(*args)
                finally:
                    semaphore.release()

            return wrapper

        return Guard(protect, _Full)


class AsyncioSemaphore(_Python):
    """Of tasks."""

    name = "asyncio.Semaphore"
    module = "asyncio"
    kinds = ("async",)
    caveat = "Acquired under `asyncio.timeout`."

    def bulkhead(self, space: Space) -> Guard:
        _alone(space)
        semaphore = asyncio.Semaphore(space.permits)

        def protect(function: Function) -> Function:
            @functools.wraps(function)
            async def wrapper(*args: Any) -> Any:
                async with asyncio.timeout(space.wait):
                    await semaphore.acquire()
                try:
                    return await function(*args)
                finally:
                    semaphore.release()

            return wrapper

        return Guard(protect, TimeoutError)
