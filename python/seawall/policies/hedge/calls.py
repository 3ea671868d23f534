"""A hedged call: attempts in tasks or threads of their own, until one has given the answer.

When the next attempt starts, and whose end is the call's, the native `Race` says. Here attempts are
started and cancelled, and whoever makes the call waits.
"""

# The hedge is asked in private.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import contextlib
import inspect
import math
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from seawall import _core, waiting
from seawall.policies.timeout.deadlines import exceeded
from seawall.waiting import hosts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from seawall._core import Flight, Hedge, Outcome, Race
    from seawall.policies.hedge.threads import Threads

#: What makes the attempts of a call, and how it waits if no test's clock is on; None: as all do.
_Host: TypeAlias = "tuple[Callable[..., Crew], Callable[[Any, float], Awaitable[None]] | None]"

#: That of asyncio, once somebody has used it.
_hosts: list[_Host] = []

__all__ = ["Crew", "in_task", "in_threads", "observe"]


class Crew(Protocol):
    """The attempts of one call, in tasks."""

    def start(self) -> None:
        """Starts the next attempt."""

    def watch(self) -> None:
        """Nothing but an end will wake the caller: sees to it that each does."""

    def result(self, number: int) -> Any:
        """What the attempt of that number returned. What it raised is raised."""

    def dismiss(self) -> None:
        """Cancels whatever still runs, without waiting for its end; forgets what has ended."""


async def in_task(
    hedge: Hedge,
    attempt: Callable[..., Awaitable[Any]],
    flight: Flight | None,
    shared: bool,
    arguments: tuple[Any, ...],
    named: dict[str, Any] | None,
) -> Any:
    """Calls a coroutine function. Called by the native core."""
    race = hedge._begin(flight, shared)
    make, rest = _host()
    crew = make(race, attempt, arguments, named or {})
    try:
        crew.start()
        while (left := race.next()) >= 0.0:
            if not left:
                crew.start()
                continue
            if left == math.inf:
                crew.watch()
            if rest is None or _core.test_clock() is not None:
                await waiting.at_rest(race, left)
            else:
                await rest(crew, left)
        return _result(race, crew)
    finally:
        race.close()
        crew.dismiss()


def in_threads(
    hedge: Hedge,
    attempt: Callable[..., Any],
    flight: Flight | None,
    shared: bool,
    arguments: tuple[Any, ...],
    named: dict[str, Any] | None,
) -> Any:
    """Calls a plain function. Called by the native core.

    It waits no longer than the deadline allows: the attempts go on then, to no avail.
    """
    from seawall.policies.hedge.threads import Threads as OfThreads

    who = f"hedge {hedge.name!r}"
    waiting.warn_of_loop(who)
    race = hedge._begin(flight, shared)
    crew = OfThreads(race, hedge._threads(), attempt, arguments, named or {})
    deadline = _core.current_deadline()
    try:
        crew.start()
        while (left := race.next()) >= 0.0:
            if not left:
                crew.start()
                continue
            if deadline is not None:
                remaining = deadline.remaining
                if remaining <= 0.0:
                    raise exceeded(deadline)
                left = min(left, remaining)
            waiting.rest(race, left, who)
        return _refuse_awaitable(race, attempt, _result(race, crew))
    finally:
        race.close()
        crew.dismiss()


def observe(outcome: Any, flight: Flight) -> Any:
    """An outcome, or what it comes from when awaited, with what is known of the attempts."""
    if inspect.isawaitable(outcome) and not isinstance(outcome, _core.Outcome):
        return _observed(outcome, flight)
    return _core.observed(outcome, flight)


async def _observed(outcome: Awaitable[Outcome[Any]], flight: Flight) -> Any:
    return _core.observed(await outcome, flight)


def _host() -> _Host:
    if hosts.in_trio():
        from seawall.policies.hedge.trios import Tasks as OfTrio

        return OfTrio, None
    if not _hosts:
        hosts.of_task()  # says that nobody runs this, if nobody does
        from seawall.policies.hedge.tasks import Tasks

        _hosts.append((Tasks, Tasks.rest))
    return _hosts[0]


def _result(race: Race, crew: Crew | Threads) -> Any:
    if not race._all_failed:
        return crew.result(race.winner)
    try:
        return crew.result(race.winner)
    except Exception as error:
        with contextlib.suppress(Exception):  # one that takes no note goes without
            error.add_note(
                f"hedge {race.name!r}: all of {race.attempts} attempts failed; this one did first"
            )
        raise


def _refuse_awaitable(race: Race, attempt: Any, value: Any) -> Any:
    if not inspect.isawaitable(value):
        return value
    close = getattr(value, "close", None)
    if close is not None:
        close()
    raise TypeError(
        f"hedge {race.name!r}: {attempt!r} is no coroutine function, but returned an awaitable,"
        " whose end is not seen in another thread: hedge an `async def` that awaits it"
    )
