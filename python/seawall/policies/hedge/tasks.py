"""Attempts as tasks of asyncio's, on any event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from seawall.waiting.loops import Nap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from seawall._core import Race

__all__ = ["Tasks"]

#: Those whose losers still run: a loop itself keeps no task alive.
_left: set[Tasks] = set()
#: From so many on, those of closed loops are looked for.
_MANY = 64


class Tasks(Nap):
    """The attempts of one call, each a task with a copy of the caller's context.

    Losers are cancelled by the end that decides the call, before its caller goes on: those that
    end at once when they are cancelled have ended by then.
    """

    __slots__ = (
        "_arguments",
        "_attempt",
        "_cancelled",
        "_dismissed",
        "_ended",
        "_named",
        "_race",
        "_running",
    )

    def __init__(
        self,
        race: Race,
        attempt: Callable[..., Awaitable[Any]],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> None:
        super().__init__(asyncio.get_running_loop())
        self._race = race
        self._attempt = attempt
        self._arguments = arguments
        self._named = named
        self._running: dict[asyncio.Task[Any], int] = {}
        self._ended: dict[int, asyncio.Task[Any]] = {}
        self._cancelled = False
        self._dismissed = False

    def start(self) -> None:
        """Starts the next attempt."""
        made: Any
        try:
            made = self._attempt(*self._arguments, **self._named)
        except Exception as error:  # noqa: BLE001  it is the attempt's end
            made = _fail(error)
        task = self._loop.create_task(made if asyncio.iscoroutine(made) else _wait(made))
        self._running[task] = len(self._running) + len(self._ended)
        if task.done():  # started eagerly
            self._end(task)
        else:
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[Any]) -> None:
        number = self._running.pop(task, None)
        if number is None:
            return  # it was seen to have ended
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self._dismissed:
            if not self._running:
                _left.discard(self)
        else:
            self._ended[number] = task
        if self._race.ended(number, error, None if error else task.result()):
            self._cancel()
        self._race.ring()  # a test's clock
        self.wake()

    def result(self, number: int) -> Any:
        """What the attempt of that number returned. What it raised is raised."""
        return self._ended[number].result()

    def dismiss(self) -> None:
        """Cancels what runs; forgets what has ended."""
        self._dismissed = True
        self._ended.clear()
        self.get_up()
        if not self._running or self._loop.is_closed():
            return
        self._cancel()
        for task in list(self._running):
            if task.done():  # its loop is about to say so
                self._end(task)
        if self._running:
            if len(_left) >= _MANY:
                _left.difference_update([crew for crew in _left if crew._loop.is_closed()])
            _left.add(self)

    def _cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            for task in list(self._running):
                task.cancel()


async def _wait(made: Awaitable[Any]) -> Any:
    return await made


async def _fail(error: Exception) -> Any:
    raise error
