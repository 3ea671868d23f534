"""Retry: tries again what may go well the next time, within limits."""

from seawall import lazy
from seawall.policies.retry.policy import Retry, retry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.retry.attempts import Attempt
    from seawall.policies.retry.events import (
        RetryEvent,
        RetryGaveUp,
        RetryRecovered,
        RetryScheduled,
    )
    from seawall.policies.retry.settings import RetrySettings
    from seawall.policies.retry.snapshot import RetrySnapshot

__all__ = [
    "Attempt",
    "Retry",
    "RetryEvent",
    "RetryGaveUp",
    "RetryRecovered",
    "RetryScheduled",
    "RetrySettings",
    "RetrySnapshot",
    "retry",
]

_EVENTS = ("RetryEvent", "RetryGaveUp", "RetryRecovered", "RetryScheduled")
__getattr__, __dir__ = lazy.names(
    __name__,
    {
        **dict.fromkeys(_EVENTS, f"{__name__}.events"),
        "Attempt": f"{__name__}.attempts",
        "RetrySettings": f"{__name__}.settings",
        "RetrySnapshot": f"{__name__}.snapshot",
    },
)
