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

    An attempt tells of its end in its task's last step: for a callback the loop would take another
    turn. The end that decides cancels the losers before it wakes the caller: those that end at once
    when they are cancelled have ended when that goes on.
    """

    __slots__ = (
        "_arguments",
        "_attempt",
        "_begun",
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
        self._begun = 0
        self._running: dict[int, asyncio.Task[None]] = {}
        self._ended: dict[int, tuple[BaseException | None, Any]] = {}
        self._cancelled = False
        self._dismissed = False

    def start(self) -> None:
        """Starts the next attempt."""
        number = self._begun
        self._begun += 1
        task = self._loop.create_task(self._run(number))
        if not task.done():  # as it is if it began eagerly, and never waited
            self._running[number] = task
        if number:
            self._look()

    async def _run(self, number: int) -> None:
        error: BaseException | None = None
        value: Any = None
        try:
            value = await self._attempt(*self._arguments, **self._named)
        except Exception as raised:  # noqa: BLE001  it is raised where the call is waited for
            error = raised
        except GeneratorExit as raised:  # its loop is gone, and there is nobody to wake
            self._race.ended(number, raised, None)
            raise
        except BaseException as raised:
            if not isinstance(raised, asyncio.CancelledError):
                _retrieve()
            self._end(number, raised, None)
            raise
        self._end(number, error, value)
        # An error leads back to this frame, by its traceback.
        del error, value

    def _end(self, number: int, error: BaseException | None, value: Any) -> None:
        self._running.pop(number, None)
        if not self._dismissed:
            self._ended[number] = error, value
        elif not self._running:
            _left.discard(self)
        if self._race.ended(number, error, value):
            self._cancel()
        self._race.ring()  # a test's clock
        self.wake()

    def watch(self) -> None:
        """Nothing but an end will wake the caller."""
        for task in self._running.values():
            task.remove_done_callback(self._look)
            task.add_done_callback(self._look)

    def _look(self, _: object = None) -> None:
        # A task that somebody has cancelled before its first step could not tell of its end.
        for number, task in list(self._running.items()):
            if task.done():
                self._end(number, asyncio.CancelledError(), None)

    def result(self, number: int) -> Any:
        """What the attempt of that number returned. What it raised is raised."""
        error, value = self._ended[number]
        if error is None:
            return value
        try:
            raise error
        finally:
            del error

    def dismiss(self) -> None:
        """Cancels what runs; forgets what has ended."""
        self._dismissed = True
        self._ended.clear()
        self.get_up()
        if not self._running or self._loop.is_closed():
            return
        self._cancel()
        if len(_left) >= _MANY:
            # Of a copy, made in one step: other threads' loops add to it, and take from it.
            _left.difference_update([crew for crew in _left.copy() if crew._loop.is_closed()])
        _left.add(self)

    def _cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self.watch()
            for task in list(self._running.values()):
                task.cancel()


def _retrieve() -> None:
    # What ends a program passes the loop, which is not to miss that somebody asked the task for it.
    task = asyncio.current_task()
    if task is not None:
        task.add_done_callback(_asked)


def _asked(task: asyncio.Task[Any]) -> None:
    task.exception()
