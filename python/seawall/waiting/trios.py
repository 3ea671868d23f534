"""Tasks of trio's that wait for a bell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from seawall._core import Bell, Race

__all__ = ["at_rest"]


async def at_rest(bell: Bell | Race, seconds: float) -> None:
    """Waits until ``bell`` rings, or for ``seconds``."""
    woken = trio.Event()
    token = trio.lowlevel.current_trio_token()
    waits = True

    def end() -> None:
        # A task that was closed half-way is in trio's books for good.
        if waits:
            woken.set()

    def ring() -> None:
        """Raises trio.RunFinishedError if there is no such task any more."""
        if trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is token:
            end()
        else:
            token.run_sync_soon(end)

    if bell.listen(ring):
        try:
            with trio.move_on_after(max(seconds, 0.0)):
                await woken.wait()
        finally:
            waits = False
