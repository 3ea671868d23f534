"""The rate limit: lets calls begin no faster than they may."""

from seawall import lazy
from seawall.policies.rate_limit.policy import RateLimit, rate_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.rate_limit.events import (
        RateLimitDelayed,
        RateLimitEvent,
        RateLimitRejected,
    )
    from seawall.policies.rate_limit.settings import RateLimitSettings
    from seawall.policies.rate_limit.snapshot import RateLimitSnapshot

__all__ = [
    "RateLimit",
    "RateLimitDelayed",
    "RateLimitEvent",
    "RateLimitRejected",
    "RateLimitSettings",
    "RateLimitSnapshot",
    "rate_limit",
]

__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "RateLimitDelayed": f"{__name__}.events",
        "RateLimitEvent": f"{__name__}.events",
        "RateLimitRejected": f"{__name__}.events",
        "RateLimitSettings": f"{__name__}.settings",
        "RateLimitSnapshot": f"{__name__}.snapshot",
    },
)
