"""What a forked child has to forget: calls that run, or wait, in threads that it has not.

A permit that was out when the process was forked would never come back in the child, and nobody
there has a place in its parent's line. So the child begins anew; what is left of a call that was
under way counts no more.
"""

# The policies are told in private.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from seawall._core import Bulkhead, RateLimit

__all__ = ["watch"]

_policies: WeakSet[Bulkhead | RateLimit] = WeakSet()


def watch(policy: Bulkhead | RateLimit) -> None:
    """Has it told of forks."""
    _policies.add(policy)


def _after_fork() -> None:
    for policy in list(_policies):
        policy._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
