"""Tasks of asyncio's, on any event loop, that wait for a bell."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from seawall._core import Bell

__all__ = ["at_rest"]


async def at_rest(bell: Bell, seconds: float) -> None:
    """Waits until ``bell`` rings, or for ``seconds``."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    if not bell.listen(partial(_ring, loop, ref(future))):
        return
    timer = loop.call_later(max(seconds, 0.0), _end, future)
    try:
        await future
    finally:
        timer.cancel()


def _ring(loop: asyncio.AbstractEventLoop, task: ref[asyncio.Future[None]]) -> None:
    """Wakes a task. It does not keep it: a bell that hangs in a queue would keep it for good.

    Raises:
        RuntimeError: There is nobody any more: the loop is closed, or the task gone.
    """
    future = task()
    if future is None:
        raise RuntimeError("the task that waited is gone")
    if asyncio._get_running_loop() is loop:
        _end(future)
    else:
        loop.call_soon_threadsafe(_end, future)


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
