"""The retry budget at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["BudgetSnapshot"]


@dataclass(frozen=True, slots=True)
class BudgetSnapshot:
    """State and counters of a retry budget at one moment.

    Attributes:
        name: Its name.
        kind: ``"budget"``.
        key: None: a budget has one state.
        settings: The settings in force, defaults filled in; durations in seconds.
        counts: Since it was made: ``calls`` that began, ``retries`` that were permitted (hedges
            among them), and those that were ``refused``.
        in_flight: Calls that have begun and not ended.
        retries_in_flight: Permitted retries that have not ended.
        balance: What is left: retries that would be permitted now, a part of one included; with
            ``mode="tokens"``, tokens.
        exhausted: Whether a retry would be refused now.
        deposited: With ``mode="ratio"``: how many calls count now. Else None.
        withdrawn: Likewise of retries.
    """

    name: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    in_flight: int
    retries_in_flight: int
    balance: float
    exhausted: bool
    deposited: int | None
    withdrawn: int | None
    kind: str = "budget"
    key: object = None
