"""A retry at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["RetrySnapshot"]


@dataclass(frozen=True, slots=True)
class RetrySnapshot:
    """Counters of a retry at one moment. It has no state: no call knows of another.

    Attributes:
        name: Its name.
        kind: ``"retry"``.
        key: None: a retry has no states to be told apart.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Calls since it was made, by how they ended: ``success`` at the first attempt,
            ``recovered`` at a later one, ``passed`` with what is not tried again, ``rejected``
            (see ``nested``), ``gave_up_attempts`` and so on by what was reached; and ``retries``,
            the attempts after the first.
        in_flight: Calls begun and not ended.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    kind: str = "retry"
    key: object = None
