"""What a retry budget tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seawall import events
from seawall.policies.budget.settings import BudgetMode

__all__ = ["BudgetEvent", "BudgetExhausted", "BudgetRecovered"]

#: Every kind that a retry budget tells.
KINDS = ("budget.exhausted", "budget.recovered")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetEvent(events.Event):
    """A budget has begun to refuse, or has ended.

    Attributes:
        mode: The mode in force.
        balance: What is left; see `BudgetSnapshot`.
        in_flight: Calls that have begun and not ended.
        retries_in_flight: Permitted retries that have not ended.
        refused: Retries refused since the budget was made.
    """

    mode: BudgetMode
    balance: float
    in_flight: int
    retries_in_flight: int
    refused: int


class BudgetExhausted(BudgetEvent):
    """``budget.exhausted``: a retry was refused, the first for a while."""

    __slots__ = ()


class BudgetRecovered(BudgetEvent):
    """``budget.recovered``: a retry was permitted, and none was refused for a while."""

    __slots__ = ()


def tell(
    on_event: Callable[[BudgetEvent], object] | None, exhausted: bool, facts: dict[str, Any]
) -> None:
    """Makes the event of a change, and lets it be heard. Called by the native core."""
    kind, cls = (
        ("budget.exhausted", BudgetExhausted)
        if exhausted
        else ("budget.recovered", BudgetRecovered)
    )
    events.publish(cls(kind=kind, policy="budget", **facts), on_event)
