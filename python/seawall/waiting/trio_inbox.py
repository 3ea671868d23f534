"""The inbox of a run of trio's, read by one system task: a descriptor has one reader at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from seawall import _core

if TYPE_CHECKING:
    from seawall._core import Pending

__all__ = ["wait"]


class Mail:
    """The inbox of one run, and who waits."""

    __slots__ = ("inbox", "waiting")

    def __init__(self) -> None:
        self.inbox = _core.Inbox()
        self.waiting: dict[int, trio.Event] = {}

    async def read(self) -> None:
        """Wakes those whose answers are there, until the run ends."""
        while True:
            await trio.lowlevel.wait_readable(self.inbox.fileno())
            for number in self.inbox.take():
                woken = self.waiting.pop(number, None)
                if woken is not None:
                    woken.set()


_mail: trio.lowlevel.RunVar[Mail | None] = trio.lowlevel.RunVar("seawall.inbox", None)


async def wait(pending: Pending, seconds: float) -> None:
    """Returns when the answer is there, or ``seconds`` are over, which may be ``inf``."""
    mail = _of_run()
    number = pending.listen(mail.inbox)
    if not number:
        return
    woken = mail.waiting[number] = trio.Event()
    try:
        with trio.move_on_after(max(seconds, 0.0)):
            await woken.wait()
    finally:
        mail.waiting.pop(number, None)


def _of_run() -> Mail:
    mail = _mail.get()
    if mail is None or mail.inbox.is_foreign:
        mail = Mail()
        trio.lowlevel.spawn_system_task(mail.read)
        _mail.set(mail)
    return mail
