"""The circuit breaker: stops calling what does not answer, and finds out when it does again."""

from seawall import lazy
from seawall.policies.breaker.policy import CircuitBreaker, circuit_breaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.policies.breaker.events import (
        BreakerClosed,
        BreakerDisabled,
        BreakerEvent,
        BreakerForcedOpen,
        BreakerHalfOpened,
        BreakerMetricsOnly,
        BreakerOpened,
        BreakerReset,
        BreakerWouldOpen,
    )
    from seawall.policies.breaker.settings import BreakerSettings, BreakerState
    from seawall.policies.breaker.snapshot import BreakerSnapshot

__all__ = [
    "BreakerClosed",
    "BreakerDisabled",
    "BreakerEvent",
    "BreakerForcedOpen",
    "BreakerHalfOpened",
    "BreakerMetricsOnly",
    "BreakerOpened",
    "BreakerReset",
    "BreakerSettings",
    "BreakerSnapshot",
    "BreakerState",
    "BreakerWouldOpen",
    "CircuitBreaker",
    "circuit_breaker",
]

_EVENTS = (
    "BreakerClosed",
    "BreakerDisabled",
    "BreakerEvent",
    "BreakerForcedOpen",
    "BreakerHalfOpened",
    "BreakerMetricsOnly",
    "BreakerOpened",
    "BreakerReset",
    "BreakerWouldOpen",
)
__getattr__, __dir__ = lazy.names(
    __name__,
    {
        **dict.fromkeys(_EVENTS, f"{__name__}.events"),
        "BreakerSettings": f"{__name__}.settings",
        "BreakerSnapshot": f"{__name__}.snapshot",
        "BreakerState": f"{__name__}.settings",
    },
)
