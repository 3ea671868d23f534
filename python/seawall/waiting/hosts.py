"""Who runs the code here: asyncio, trio or nobody but the thread. Neither is imported to ask."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["in_trio", "loop", "of_task", "running_here"]


def of_task() -> Any:
    """The module, `trio` or `asyncio`, that runs the current task.

    Raises:
        RuntimeError: Neither does.
    """
    if in_trio():
        return sys.modules["trio"]
    if loop() is not None:
        return sys.modules["asyncio"]
    raise RuntimeError(
        "seawall can't wait here: neither asyncio nor trio runs this code. Await it in a task of"
        " one of them, or use a plain function, which waits by blocking its thread"
    )


def running_here() -> str | None:
    """What would stand still if this thread were blocked; None: nothing but the thread."""
    if in_trio():
        return "trio"
    if loop() is not None:
        return "an asyncio event loop"
    return None


def in_trio() -> bool:
    """Whether a task of trio's runs this code."""
    lowlevel: Any = sys.modules.get("trio.lowlevel")
    return lowlevel is not None and bool(lowlevel.in_trio_task())


def loop() -> Any:
    """The loop of asyncio's that runs in this thread, or None."""
    asyncio: Any = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()
