"""A timeout at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["TimeoutSnapshot"]


@dataclass(frozen=True, slots=True)
class TimeoutSnapshot:
    """Counters of a timeout at one moment.

    Attributes:
        name: Its name.
        kind: ``"timeout"``.
        key: None: a timeout has no states to be told apart.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Calls since it was made, by how they ended: ``in_time``, ``late`` (returned, when
            the time was over), ``timed_out``, ``other`` (raised, cancelled, dropped).
        in_flight: Calls begun and not ended.
        threads: Threads of its own there are now.
        abandoned: How many of those hang in calls that were given up.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    threads: int
    abandoned: int
    kind: str = "timeout"
    key: object = None
