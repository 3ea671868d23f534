"""The fallback: what answers in the place of a call that failed."""

from seawall import lazy
from seawall.policies.fallback.policy import Fallback, fallback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.fallback.events import (
        FallbackEvent,
        FallbackFailed,
        FallbackStale,
        FallbackUsed,
    )
    from seawall.policies.fallback.settings import FallbackSettings
    from seawall.policies.fallback.snapshot import FallbackSnapshot

__all__ = [
    "Fallback",
    "FallbackEvent",
    "FallbackFailed",
    "FallbackSettings",
    "FallbackSnapshot",
    "FallbackStale",
    "FallbackUsed",
    "fallback",
]

_EVENTS = ("FallbackEvent", "FallbackFailed", "FallbackStale", "FallbackUsed")
__getattr__, __dir__ = lazy.names(
    __name__,
    {
        **dict.fromkeys(_EVENTS, f"{__name__}.events"),
        "FallbackSettings": f"{__name__}.settings",
        "FallbackSnapshot": f"{__name__}.snapshot",
    },
)
