"""What a forked child has to forget: calls that run, or wait, in threads that it has not.

A permit that was out when the process was forked would never come back in the child. So the child
counts from zero; what is left of a call that was under way counts no more.
"""

# The bulkheads are told in private.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from seawall._core import Bulkhead

__all__ = ["watch"]

_bulkheads: WeakSet[Bulkhead] = WeakSet()


def watch(bulkhead: Bulkhead) -> None:
    """Has it told of forks."""
    _bulkheads.add(bulkhead)


def _after_fork() -> None:
    for bulkhead in list(_bulkheads):
        bulkhead._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
