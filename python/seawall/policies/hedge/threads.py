"""Attempts in threads of the hedge's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seawall.errors import ThreadsExhaustedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seawall._core import Race
    from seawall.policies.timeout.pool import Pool, Started

__all__ = ["HedgeThreadsExhaustedError", "Threads"]


class HedgeThreadsExhaustedError(ThreadsExhaustedError):
    """As that, of a hedge."""

    policy = "hedge"


class Threads:
    """The attempts of one call, each in a thread, with a copy of the caller's context.

    A thread can't be stopped: losers are given up, and go on to their end.
    """

    __slots__ = (
        "_arguments",
        "_attempt",
        "_dismissed",
        "_ended",
        "_named",
        "_pool",
        "_race",
        "_running",
    )

    def __init__(
        self,
        race: Race,
        pool: Pool,
        attempt: Callable[..., Any],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> None:
        self._race = race
        self._pool = pool
        self._attempt = attempt
        self._arguments = arguments
        self._named = named
        self._running: dict[int, Started] = {}
        self._ended: dict[int, tuple[BaseException | None, Any]] = {}
        self._dismissed = False

    def start(self) -> None:
        """Starts the next attempt. Without a thread for it, it was refused."""
        number = self._race.attempts - 1
        pool = self._pool
        try:
            self._running[number] = pool.start(lambda: self._run(number))
        except ThreadsExhaustedError as error:
            self._end(number, HedgeThreadsExhaustedError(*error.args), None)
        except RuntimeError as error:  # the system has none; an attempt that runs may yet answer
            none = HedgeThreadsExhaustedError(pool.name, None, pool.threads, pool.abandoned)
            none.__cause__ = error
            self._end(number, none, None)

    def _run(self, number: int) -> None:
        error: BaseException | None = None
        value: Any = None
        try:
            value = self._attempt(*self._arguments, **self._named)
        except BaseException as raised:  # noqa: BLE001  it is raised where the call is waited for
            error = raised
        self._end(number, error, value)
        # An error leads back to this frame, by its traceback.
        del error, value

    def _end(self, number: int, error: BaseException | None, value: Any) -> None:
        if not self._dismissed:
            self._ended[number] = error, value
        self._race.ended(number, error, value)
        self._race.ring()

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
        """Gives up what runs; forgets what has ended."""
        self._dismissed = True
        for number, started in self._running.items():
            if number not in self._ended:
                started.give_up()
        self._ended.clear()
        self._running.clear()
