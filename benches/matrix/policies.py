"""Policies that are no breakers, in words that every library has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Space:
    """A bulkhead: so many calls at once."""

    permits: int = 1
    wait: float = 0.0
    """Seconds that a call waits for a permit; 0: none does."""
    queue: int | None = None
    """How many wait at most; None: as many as the library lets."""


@dataclass(frozen=True)
class Pace:
    """A rate limit: so many calls in so many seconds, at once if need be."""

    limit: int = 5
    per: float = 10.0
    wait: float = 0.0
    """Seconds that a call waits for its turn; 0: none does."""


@dataclass(frozen=True)
class Tries:
    """A retry after any `Exception`."""

    attempts: int = 3
    delay: float = 0.0
    """Seconds between two attempts."""
    max_duration: float | None = None
    """Seconds from which on no attempt begins."""
    never: type[Exception] | None = None
    """What is not tried again."""


@dataclass(frozen=True)
class Guard:
    """A policy, put on functions as the library's documentation says."""

    protect: Callable[[Function], Function]
    refusal: type[BaseException] | tuple[type[BaseException], ...] = ()
    """What a call raises that is not let in."""
