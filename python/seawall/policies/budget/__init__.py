"""The retry budget: how many further attempts all the calls of a service may make together."""

from seawall import lazy
from seawall.policies.budget.policy import RetryBudget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.budget.events import BudgetEvent, BudgetExhausted, BudgetRecovered
    from seawall.policies.budget.settings import BudgetMode, BudgetSettings
    from seawall.policies.budget.snapshot import BudgetSnapshot

__all__ = [
    "BudgetEvent",
    "BudgetExhausted",
    "BudgetMode",
    "BudgetRecovered",
    "BudgetSettings",
    "BudgetSnapshot",
    "RetryBudget",
]

__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "BudgetEvent": f"{__name__}.events",
        "BudgetExhausted": f"{__name__}.events",
        "BudgetMode": f"{__name__}.settings",
        "BudgetRecovered": f"{__name__}.events",
        "BudgetSettings": f"{__name__}.settings",
        "BudgetSnapshot": f"{__name__}.snapshot",
    },
)
