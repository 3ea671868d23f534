"""The bulkhead at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["BulkheadSnapshot"]


@dataclass(frozen=True, slots=True)
class BulkheadSnapshot:
    """State and counters of a bulkhead at one moment.

    Attributes:
        name: Its name.
        kind: ``"bulkhead"``.
        key: Which of a keyed bulkhead's states this is; None: all of them, that of calls without
            a key, or the only one there is.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Calls since it was made: ``entered``, ``waited`` (of these, those that had to wait
            before), ``rejected`` (at once), ``timed_out`` (after they had waited in vain) and
            ``cancelled`` (while they waited).
        in_flight: Calls that run now. After ``max_concurrent`` was lowered, it may be more.
        waiting: Calls that wait now.
        limit: How many may run at once; of a keyed one, for each key.
        threads: Threads of its own there are now.
        abandoned: How many of those run calls that were given up, which keep their permits.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    waiting: int
    limit: int
    threads: int
    abandoned: int
    kind: str = "bulkhead"
    key: object = None
