"""What tasks wait for that a native thread brings: the answers of stores.

That thread never enters Python. It puts a number into the inbox of the loop and writes a byte; the
loop, which reads the inbox's descriptor like any other, ends the waits of those numbers.
"""

from __future__ import annotations

import select

from seawall import _core
from seawall.waiting import hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["answered", "in_greenlet", "rest_in_greenlet"]


async def answered(pending: _core.Pending, seconds: float) -> _core.Reply:
    """The answer, once it is there, or the error that none came within ``seconds``.

    Cancelled, it is not waited for any more, and a claim that comes all the same is given back.

    Raises:
        RuntimeError: Neither asyncio nor trio runs this code.
        seawall.stores.errors.StoreError: There is none.
    """
    wait: Callable[[_core.Pending, float], Any]
    try:
        if hosts.of_task().__name__ == "trio":
            from seawall.waiting.trio_inbox import wait
        else:
            from seawall.waiting.loop_inbox import wait

        await wait(pending, seconds)
        return pending.take()
    finally:
        pending.drop()


def in_greenlet() -> bool:
    """Whether gevent has taken the place of what blocks a thread."""
    return getattr(select.select, "__module__", "select") != "select"


def rest_in_greenlet(pending: _core.Pending, seconds: float) -> _core.Reply:
    """Waits as gevent does: the other greenlets of this thread go on.

    Raises:
        seawall.stores.errors.StoreError: There is no answer.
    """
    try:
        inbox = _core.Inbox()
        if pending.listen(inbox):
            select.select([inbox.fileno()], [], [], max(seconds, 0.0))
        return pending.take()
    finally:
        pending.drop()
