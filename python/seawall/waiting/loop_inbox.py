"""The inbox of a loop of asyncio's: made when it is first needed, gone with its loop."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from seawall import _core

if TYPE_CHECKING:
    from seawall._core import Pending

__all__ = ["wait"]

#: Between two looks, where the loop can't read a descriptor: at first and at last, in seconds.
FIRST_PAUSE = 0.0005
LAST_PAUSE = 0.02


class Mail:
    """The inbox of one loop, and who waits.

    It knows neither the loop nor a task but weakly: what is in the books of a loop that was closed
    half-way must not keep it.
    """

    __slots__ = ("__weakref__", "can_be_read", "inbox", "waiting")

    def __init__(self) -> None:
        self.inbox = _core.Inbox()
        self.waiting: dict[int, ref[asyncio.Future[None]]] = {}
        self.can_be_read = True

    def arrive(self) -> None:
        """Wakes those whose answers are there."""
        for number in self.inbox.take():
            waiting = self.waiting.pop(number, None)
            future = None if waiting is None else waiting()
            if future is not None:
                _end(future)


#: Of each loop. A loop runs in one thread at a time, so nobody else asks for the same.
_mail: WeakKeyDictionary[asyncio.AbstractEventLoop, Mail] = WeakKeyDictionary()


async def wait(pending: Pending, seconds: float) -> None:
    """Returns when the answer is there, or ``seconds`` are over, which may be ``inf``."""
    loop = asyncio.get_running_loop()
    mail = _of(loop)
    if not mail.can_be_read:
        await _look(pending, loop.time() + seconds)
        return
    number = pending.listen(mail.inbox)
    if not number:
        return
    future: asyncio.Future[None] = loop.create_future()
    mail.waiting[number] = ref(future)
    timer = None
    try:
        if seconds != math.inf:
            timer = loop.call_later(max(seconds, 0.0), _end, future)
        await future
    finally:
        mail.waiting.pop(number, None)
        if timer is not None:
            timer.cancel()


async def _look(pending: Pending, until: float) -> None:
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE
    while not pending.is_there and loop.time() < until:
        await asyncio.sleep(min(pause, max(until - loop.time(), 0.0)))
        pause = min(2 * pause, LAST_PAUSE)


def _of(loop: asyncio.AbstractEventLoop) -> Mail:
    mail = _mail.get(loop)
    if mail is not None and not mail.inbox.is_foreign:
        return mail
    # Who was closed needs no descriptor any more, whoever may still hold him.
    for known in _mail.keyrefs():
        other = known()
        if other is not None and other.is_closed():
            _mail.pop(other, None)
    mail = Mail()
    try:
        loop.add_reader(mail.inbox.fileno(), mail.arrive)
    except NotImplementedError:
        mail.can_be_read = False
    _mail[loop] = mail
    return mail


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
