"""The only place where seawall waits.

Whoever runs the caller does the waiting: a thread blocks, a task of asyncio or trio is put to sleep
by its loop. Under a test's clock all of them wait for that clock instead.
"""

from __future__ import annotations

import time

from seawall import _core, blame
from seawall.errors import BlockingWaitWarning
from seawall.waiting import hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from seawall._core import Bell, Race

__all__ = ["asleep", "at_rest", "rest", "sleep", "warn_of_loop"]


def sleep(seconds: float, who: str | None = None) -> None:
    """Blocks this thread for ``seconds``; zero and less only lets others have a turn.

    It is ``time.sleep``, looked up each time: whatever has taken its place, as gevent does, waits
    in its own way. Ctrl-C ends it. In a thread that runs an event loop it warns before it blocks.

    Args:
        seconds: How long; a plain number.
        who: What waits, for the warning: ``"retry 'payments'"``.

    Raises:
        ValueError: It is not a number.
        seawall.testing.ClockStoppedError: Nobody will move the test's clock that it goes by.

    Warns:
        BlockingWaitWarning: An event loop stands still meanwhile. Told once for each ``who`` and
            line that called into seawall, unless the program's filters say otherwise.
    """
    warn_of_loop(who)
    if seconds < 0:
        seconds = 0
    clock: Any = _core.test_clock()
    if clock is not None:
        clock.sleep(seconds)
    else:
        time.sleep(seconds)


def rest(bell: Bell | Race, seconds: float, who: str | None = None) -> None:
    """Blocks this thread until ``bell`` rings, or for ``seconds``.

    It waits for a lock of `threading`'s, looked up each time, as gevent would have it. Ctrl-C ends
    it. In a thread that runs an event loop it warns before it blocks.

    Args:
        bell: What is waited for.
        seconds: For how long; a plain number, ``inf`` for as long as it takes.
        who: As for `sleep`.

    Raises:
        seawall.testing.ClockStoppedError: Nobody will move the test's clock that it goes by.

    Warns:
        BlockingWaitWarning: See `sleep`.
    """
    warn_of_loop(who)
    clock: Any = _core.test_clock()
    if clock is not None:
        clock.rest(bell, seconds)
        return
    import threading

    woken = threading.Lock()
    woken.acquire()
    if bell.listen(woken.release):
        woken.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))


def at_rest(bell: Bell | Race, seconds: float) -> Awaitable[None]:
    """What ends when ``bell`` rings, or after ``seconds``, which may be ``inf``.

    The current task waits as `asleep` has it do, whoever rings, and from whichever thread.

    Raises:
        RuntimeError: Neither asyncio nor trio runs this code.
        seawall.testing.ClockStoppedError: Nobody will move the test's clock that it goes by.
    """
    clock: Any = _core.test_clock()
    wait: Awaitable[None]
    if clock is not None:
        wait = clock.at_rest(bell, seconds)
    elif hosts.of_task().__name__ == "trio":
        from seawall.waiting.trios import at_rest as of_trio

        wait = of_trio(bell, seconds)
    else:
        from seawall.waiting.loops import at_rest as of_loop

        wait = of_loop(bell, seconds)
    return wait


def asleep(seconds: float) -> Awaitable[None]:
    """Puts the current task to sleep for ``seconds``; zero and less lets the others have a turn.

    It is the sleep of whoever runs the caller, ``trio.sleep`` or ``asyncio.sleep``, and is
    cancelled as they are. Nothing is imported for it.

    Raises:
        RuntimeError: Neither asyncio nor trio runs this code.
        ValueError: It is not a number.
        seawall.testing.ClockStoppedError: Nobody will move the test's clock that it goes by.
    """
    if seconds != seconds:
        raise ValueError("a task can't sleep for a time that is not a number")
    if seconds < 0:
        seconds = 0
    clock: Any = _core.test_clock()
    nap: Awaitable[None]
    nap = hosts.of_task().sleep(seconds) if clock is None else clock.asleep(seconds)
    return nap


def warn_of_loop(who: str | None) -> None:
    """Says that this thread is about to block, if it runs an event loop.

    Args:
        who: As for `sleep`.
    """
    host = hosts.running_here()
    if host is not None:
        blame.warn(
            f"{who or 'seawall'} waits in a thread that runs {host}, which stands still meanwhile:"
            " protect an async function, or call this one in a thread of its own",
            BlockingWaitWarning,
        )
