"""Timeouts and deadlines: work that ends in time, or says that it did not."""

from seawall import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.timeout.carrying import CarryingExecutor, carried
    from seawall.policies.timeout.deadlines import deadline, remaining
    from seawall.policies.timeout.pool import Pool

__all__ = ["CarryingExecutor", "Pool", "carried", "deadline", "remaining"]

__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "CarryingExecutor": f"{__name__}.carrying",
        "Pool": f"{__name__}.pool",
        "carried": f"{__name__}.carrying",
        "deadline": f"{__name__}.deadlines",
        "remaining": f"{__name__}.deadlines",
    },
)
