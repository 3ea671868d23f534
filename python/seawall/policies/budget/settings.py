"""The retry budget's settings, in one place for the class and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["BudgetMode", "BudgetSettings"]

BudgetMode: TypeAlias = Literal["ratio", "concurrency", "tokens"]
Seconds: TypeAlias = float | timedelta


class BudgetSettings(TypedDict, total=False):
    """Settings of a retry budget. Each may be left out, or be None, for its default.

    What the mode has no use for is refused.

    Attributes:
        mode: ``"ratio"`` (default): retries over the last ``ttl`` are a share of the calls over
            it, and a reserve (Finagle). ``"concurrency"``: retries in flight are a share of the
            calls in flight (Envoy). ``"tokens"``: a failure takes a token, a success gives back a
            part of one, and retries are made above half (gRPC A6).
        ratio: That share, or that part: 0 to 1, default 0.2. In ``"tokens"`` above 0 and of at
            most three decimals.
        min_per_second: ``"ratio"``: retries a second that are permitted however few calls there
            are (default 10); the reserve is ``min_per_second`` · ``ttl``.
        ttl: ``"ratio"``: seconds that a call counts, 0.1 to 3600, default 10.
        min_concurrent: ``"concurrency"``: retries in flight that are permitted however few calls
            are (default 3).
        max_tokens: ``"tokens"``: the most tokens there may be, and what it starts with (default
            100).
        on_event: Called with each `BudgetEvent` of this budget, on the thread that caused it.
    """

    mode: BudgetMode | None
    ratio: float | None
    min_per_second: float | None
    ttl: Seconds | None
    min_concurrent: int | None
    max_tokens: int | None
    on_event: Callable[[t.BudgetEvent], object] | None
