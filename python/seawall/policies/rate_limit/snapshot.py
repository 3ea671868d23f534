"""A rate limit at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["RateLimitSnapshot"]


@dataclass(frozen=True, slots=True)
class RateLimitSnapshot:
    """State and counters of a rate limit at one moment.

    Attributes:
        name: Its name.
        kind: ``"rate_limit"``.
        key: Which of a keyed policy's states this is; None: all of them, that of calls without a
            key, or the only one there is.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Calls since it was made: ``admitted`` and ``rejected``.
        in_flight: Always 0: a limit has no part in what becomes of a call that it has let in.
        available: What could be taken at once, in calls of cost 1. Of several states, the least.
        retry_after: Seconds until a call of cost 1 could be let in; see `RateLimit.retry_after`.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    available: float
    retry_after: float | None
    in_flight: int = 0
    kind: str = "rate_limit"
    key: object = None
