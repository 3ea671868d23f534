"""An alarm under trio: a cancel scope of its own around the work."""

from __future__ import annotations

from math import inf
from typing import Any

import trio

__all__ = ["Scope"]

# What the end of the work has to do with the alarm; the native side knows the numbers.
QUIET, EXPIRED, LATE, CANCELLED = range(4)


class Scope:
    """Entered when made, for the task that made it; left when settled.

    Args:
        seconds: How long from now.
        at: The same time on the clock in force.
        clock: The test's clock that is in force, if one is. trio's own clock has no say then.
    """

    __slots__ = ("_at", "_call", "_clock", "_scope", "_seconds", "_suspended", "_task", "_token")

    def __init__(self, seconds: float, at: int, clock: Any) -> None:
        self._at = at
        self._clock = clock
        self._call: Any = None
        self._task = trio.lowlevel.current_task()
        self._token = trio.lowlevel.current_trio_token()
        self._seconds = trio.current_time() + seconds
        self._suspended = True
        self._scope = trio.CancelScope()
        self.resume()
        self._scope.__enter__()

    @property
    def fired(self) -> bool:
        """Whether it has rung."""
        return self._scope.cancel_called

    def is_of_here(self) -> bool:
        """Whether it is the current task's."""
        return trio.lowlevel.current_task() is self._task

    def suspend(self) -> None:
        """Keeps it from ringing."""
        self._suspended = True
        self._scope.deadline = inf
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def resume(self) -> None:
        """Sets it for its time."""
        if not self._suspended:
            return
        self._suspended = False
        if self._clock is None:
            self._scope.deadline = self._seconds
        else:
            self._call = self._clock._call_at(self._at, self._ring)

    def settle(self, error: BaseException | None) -> tuple[int, BaseException | None]:
        """Leaves the scope with ``error``.

        Returns:
            What the alarm has to do with the end of the work, and what is left of a group of
            errors without the cancellation.
        """
        scope = self._scope
        fired = scope.cancel_called
        self.suspend()
        traceback = None if error is None else error.__traceback__
        try:
            scope.__exit__(None if error is None else type(error), error, traceback)
        except BaseException as left:  # noqa: BLE001  it is the caller's to raise
            return CANCELLED, left
        if scope.cancelled_caught:
            return EXPIRED, None
        if not fired:
            return QUIET, None
        return CANCELLED if isinstance(error, trio.Cancelled) else LATE, None

    def _ring(self) -> None:
        # By whoever moves the clock, which may be another thread.
        if trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is self._token:
            self._go_off()
            return
        try:
            self._token.run_sync_soon(self._go_off)
        except trio.RunFinishedError:  # and the task with it
            return

    def _go_off(self) -> None:
        if not self._suspended:
            self._scope.cancel()
