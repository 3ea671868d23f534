"""The bulkhead: so many calls at once, and so many that wait for their turn."""

from seawall import lazy
from seawall.policies.bulkhead.policy import Bulkhead, bulkhead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.bulkhead.events import BulkheadEvent, BulkheadRejected, BulkheadWaited
    from seawall.policies.bulkhead.settings import BulkheadSettings
    from seawall.policies.bulkhead.snapshot import BulkheadSnapshot

__all__ = [
    "Bulkhead",
    "BulkheadEvent",
    "BulkheadRejected",
    "BulkheadSettings",
    "BulkheadSnapshot",
    "BulkheadWaited",
    "bulkhead",
]

__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "BulkheadEvent": f"{__name__}.events",
        "BulkheadRejected": f"{__name__}.events",
        "BulkheadSettings": f"{__name__}.settings",
        "BulkheadSnapshot": f"{__name__}.snapshot",
        "BulkheadWaited": f"{__name__}.events",
    },
)
