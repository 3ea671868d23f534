"""A fallback at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["FallbackSnapshot"]


@dataclass(frozen=True, slots=True)
class FallbackSnapshot:
    """Counters of a fallback at one moment.

    Attributes:
        name: Its name.
        kind: ``"fallback"``.
        key: None: the answers that it remembers are not looked at one by one.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Calls since it was made, by how they ended: ``success`` by themselves, ``used``
            (a provider answered), ``stale`` (memory did), ``failed`` (nothing did), ``passed``
            (with what is not answered for). And of those not remembered: ``unkeyed``, whose
            arguments can't be told apart; ``unkept``, which returned what can be used once.
        in_flight: Calls begun and not ended.
        remembered: How many answers are remembered now.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    remembered: int
    kind: str = "fallback"
    key: object = None
