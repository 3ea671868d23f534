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
        counts: Calls since it was made: ``admitted`` at once or after a wait; ``delayed``, which
            says of some of them that they waited; ``abandoned``, given up while they waited;
            ``rejected``.
        in_flight: Calls that wait. In what becomes of one that was let in, a limit has no part.
        available: What could be taken at once, in calls of cost 1; below zero, what others wait
            for. Of several states, the least.
        retry_after: Seconds until a call of cost 1 could be let in; see `RateLimit.retry_after`.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    available: float
    retry_after: float | None
    kind: str = "rate_limit"
    key: object = None
