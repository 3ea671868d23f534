"""Attempts as system tasks of trio's, which keep no nursery open."""

from __future__ import annotations

import signal
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from seawall._core import Race

__all__ = ["Tasks"]


class Tasks:
    """The attempts of one call, each a system task with a copy of the caller's context.

    They outlive neither a cancellation, of the caller as well, nor the run.
    """

    __slots__ = ("_arguments", "_attempt", "_dismissed", "_ended", "_named", "_race", "_running")

    def __init__(
        self,
        race: Race,
        attempt: Callable[..., Awaitable[Any]],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> None:
        self._race = race
        self._attempt = attempt
        self._arguments = arguments
        self._named = named
        self._running: dict[int, trio.CancelScope] = {}
        self._ended: dict[int, tuple[BaseException | None, Any]] = {}
        self._dismissed = False

    def start(self) -> None:
        """Starts the next attempt."""
        number = len(self._running) + len(self._ended)
        self._running[number] = trio.CancelScope()
        trio.lowlevel.spawn_system_task(
            self._run, number, name="seawall hedge", context=copy_context()
        )

    async def _run(self, number: int) -> None:
        error: BaseException | None = None
        value: Any = None
        scope = self._running[number]
        try:
            with scope:
                value = await self._call()
        except trio.Cancelled as cancelled:  # all of the run ends
            self._end(number, cancelled, None)
            raise
        except BaseException as raised:  # noqa: BLE001  it is raised where the call is waited for
            error = raised
        if scope.cancelled_caught:
            error = GeneratorExit()  # what says that it came to no end of its own
        self._end(number, error, value)
        if isinstance(error, KeyboardInterrupt) and (
            self._dismissed or self._race.winner != number
        ):
            _interrupt()
        # An error leads back to this frame, by its traceback.
        del error, value

    @trio.lowlevel.disable_ki_protection
    async def _call(self) -> Any:
        return await self._attempt(*self._arguments, **self._named)

    def _end(self, number: int, error: BaseException | None, value: Any) -> None:
        del self._running[number]
        if not self._dismissed:
            self._ended[number] = error, value
        if self._race.ended(number, error, value):
            self._cancel()
        self._race.ring()

    def watch(self) -> None:
        """Nothing but an end will wake the caller: each tells of its own."""

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
        self._cancel()

    def _cancel(self) -> None:
        for scope in self._running.values():
            scope.cancel()


def _interrupt() -> None:
    # Ctrl-C came while a loser ran, whose end is nobody's: trio is told once more, and hands it to
    # the main task.
    if threading.current_thread() is threading.main_thread():
        signal.raise_signal(signal.SIGINT)
