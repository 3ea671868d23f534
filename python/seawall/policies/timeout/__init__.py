"""Timeouts and deadlines: work that ends in time, or says that it did not."""

from seawall import lazy
from seawall.policies.timeout.policy import Timeout, timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.timeout.carrying import CarryingExecutor, carried
    from seawall.policies.timeout.deadlines import deadline, remaining
    from seawall.policies.timeout.events import TimeoutEvent, TimeoutLate, TimeoutTimedOut
    from seawall.policies.timeout.pool import Pool
    from seawall.policies.timeout.settings import TimeoutSettings
    from seawall.policies.timeout.snapshot import TimeoutSnapshot

__all__ = [
    "CarryingExecutor",
    "Pool",
    "Timeout",
    "TimeoutEvent",
    "TimeoutLate",
    "TimeoutSettings",
    "TimeoutSnapshot",
    "TimeoutTimedOut",
    "carried",
    "deadline",
    "remaining",
    "timeout",
]

__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "CarryingExecutor": f"{__name__}.carrying",
        "Pool": f"{__name__}.pool",
        "TimeoutEvent": f"{__name__}.events",
        "TimeoutLate": f"{__name__}.events",
        "TimeoutSettings": f"{__name__}.settings",
        "TimeoutSnapshot": f"{__name__}.snapshot",
        "TimeoutTimedOut": f"{__name__}.events",
        "carried": f"{__name__}.carrying",
        "deadline": f"{__name__}.deadlines",
        "remaining": f"{__name__}.deadlines",
    },
)
