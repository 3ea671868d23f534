"""Tasks of asyncio's, on any event loop, that wait for a bell."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from seawall._core import Bell, Race

__all__ = ["Nap", "at_rest"]


async def at_rest(bell: Bell | Race, seconds: float) -> None:
    """Waits until ``bell`` rings, or for ``seconds``, which may be ``inf``."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    if not bell.listen(partial(_ring, loop, ref(future))):
        return
    if seconds == math.inf:
        await future
        return
    timer = loop.call_later(max(seconds, 0.0), _end, future)
    try:
        await future
    finally:
        timer.cancel()


class Nap:
    """A task's waits, one after the other, each ended by `wake` or by time.

    For who is woken by its own loop only: nothing is made for it but a future and a timer.
    """

    __slots__ = ("_future", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._future: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def rest(self, seconds: float) -> asyncio.Future[None]:
        """What is to be awaited: it ends after ``seconds``, which may be ``inf``."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds == math.inf else self._loop.call_later(seconds, self.wake)
        self._future = self._loop.create_future()
        return self._future

    def wake(self) -> None:
        """Ends the wait, if there is one."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def get_up(self) -> None:
        """There will be no further wait."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._future = None


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
