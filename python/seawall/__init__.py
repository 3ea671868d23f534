"""seawall: a resilience runtime for Python services.

This module is the index of the public names. Those that most programs never touch are loaded when
somebody asks for them.
"""

from seawall import lazy, registry
from seawall._core import Outcome
from seawall.errors import CircuitOpenError, ConfigError, Problem, Rejected, SeawallError
from seawall.pipeline import Pipeline
from seawall.policies.breaker import CircuitBreaker, circuit_breaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import events, testing
    from seawall.clients import unhealthy
    from seawall.events import Event, subscribe
    from seawall.keys import OTHER_KEYS
    from seawall.policies.backoff import Backoff, constant, custom, exponential, fibonacci, linear
    from seawall.policies.breaker import (
        BreakerClosed,
        BreakerDisabled,
        BreakerEvent,
        BreakerForcedOpen,
        BreakerHalfOpened,
        BreakerMetricsOnly,
        BreakerOpened,
        BreakerReset,
        BreakerSettings,
        BreakerSnapshot,
        BreakerWouldOpen,
    )
    from seawall.windows import Window, calls, seconds

__all__ = [
    "OTHER_KEYS",
    "Backoff",
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
    "BreakerWouldOpen",
    "CircuitBreaker",
    "CircuitOpenError",
    "ConfigError",
    "Event",
    "Outcome",
    "Pipeline",
    "Problem",
    "Rejected",
    "SeawallError",
    "Window",
    "calls",
    "circuit_breaker",
    "constant",
    "custom",
    "events",
    "exponential",
    "fibonacci",
    "linear",
    "registry",
    "seconds",
    "subscribe",
    "testing",
    "unhealthy",
]

__getattr__, __dir__ = lazy.names(
    __name__,
    {
        "Backoff": "seawall.policies.backoff",
        "BreakerClosed": "seawall.policies.breaker",
        "BreakerDisabled": "seawall.policies.breaker",
        "BreakerEvent": "seawall.policies.breaker",
        "BreakerForcedOpen": "seawall.policies.breaker",
        "BreakerHalfOpened": "seawall.policies.breaker",
        "BreakerMetricsOnly": "seawall.policies.breaker",
        "BreakerOpened": "seawall.policies.breaker",
        "BreakerReset": "seawall.policies.breaker",
        "BreakerSettings": "seawall.policies.breaker",
        "BreakerSnapshot": "seawall.policies.breaker",
        "BreakerWouldOpen": "seawall.policies.breaker",
        "Event": "seawall.events",
        "OTHER_KEYS": "seawall.keys",
        "Window": "seawall.windows",
        "calls": "seawall.windows",
        "constant": "seawall.policies.backoff",
        "custom": "seawall.policies.backoff",
        "events": "seawall.events",
        "exponential": "seawall.policies.backoff",
        "fibonacci": "seawall.policies.backoff",
        "linear": "seawall.policies.backoff",
        "seconds": "seawall.windows",
        "subscribe": "seawall.events",
        "testing": "seawall.testing",
        "unhealthy": "seawall.clients",
    },
)
