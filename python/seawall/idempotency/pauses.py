"""For how long is waited before a store is asked once more. Times are seconds."""

from __future__ import annotations

import time
from random import random
from typing import TYPE_CHECKING

from seawall import _core
from seawall.stores.errors import (
    StoreBusyError,
    StoreConnectionError,
    StoreTimeoutError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from seawall.idempotency.operation import Operation

__all__ = [
    "FIRST_LOOK",
    "LAST_LOOK",
    "LAST_LOOK_HERE",
    "PASSING",
    "look",
    "look_here",
    "now",
    "patience",
    "retry",
]

#: Between two looks of who waits for another process: the first, doubled up to the last.
FIRST_LOOK = 0.02
LAST_LOOK = 0.5
#: And of who will be woken: in case whoever runs here loses its lease to another process.
LAST_LOOK_HERE = 1.0
#: Between two attempts to ask a store that gave no answer, likewise.
FIRST_RETRY = 0.05
LAST_RETRY = 1.0

#: What may pass.
PASSING = (StoreUnavailableError, StoreBusyError, StoreTimeoutError, StoreConnectionError)


def now() -> float:
    """Waits go by a test's clock; leases and what is remembered by the store's, which is real."""
    clock = _core.test_clock()
    return time.monotonic() if clock is None else clock.elapsed


def patience(operation: Operation) -> float | None:
    """For how long an answer to a claim is waited for; None: for as long as the store says."""
    remaining = _core.remaining()
    return None if remaining is None else min(remaining, operation.store.timeout)


def look(number: int) -> float:
    """Before the next look at what another process does; so many were made already."""
    return _spread(min(FIRST_LOOK * 2.0 ** min(number, 10), LAST_LOOK))


def look_here() -> float:
    """Before the next look at what this process does."""
    return _spread(LAST_LOOK_HERE)


def retry(number: int) -> float:
    """Before a store is asked again; so many times it was."""
    return _spread(min(FIRST_RETRY * 2.0 ** min(number, 10), LAST_RETRY))


def _spread(seconds: float) -> float:
    # Half of it by chance: those who began together do not ask together.
    return seconds * (0.5 + random() / 2)
