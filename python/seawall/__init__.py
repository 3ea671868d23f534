"""seawall: a resilience runtime for Python services.

This module is the index of the public names. Those that most programs never touch are loaded when
somebody asks for them.
"""

from seawall import lazy, registry
from seawall._core import Outcome
from seawall.errors import (
    BlockingWaitWarning,
    CallTimeoutError,
    CircuitOpenError,
    ConfigError,
    DeadlineExceededError,
    Problem,
    Rejected,
    SeawallError,
    ThreadsExhaustedError,
)
from seawall.pipeline import Pipeline
from seawall.policies.breaker import CircuitBreaker, circuit_breaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import events, testing
    from seawall.clients import unhealthy
    from seawall.events import Event, subscribe
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
    from seawall.policies.timeout.carrying import CarryingExecutor, carried
    from seawall.policies.timeout.deadlines import deadline, remaining
    from seawall.windows import Window, calls, seconds

__all__ = [
    "Backoff",
    "BlockingWaitWarning",
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
    "CallTimeoutError",
    "CarryingExecutor",
    "CircuitBreaker",
    "CircuitOpenError",
    "ConfigError",
    "DeadlineExceededError",
    "Event",
    "Outcome",
    "Pipeline",
    "Problem",
    "Rejected",
    "SeawallError",
    "ThreadsExhaustedError",
    "Window",
    "calls",
    "carried",
    "circuit_breaker",
    "constant",
    "custom",
    "deadline",
    "events",
    "exponential",
    "fibonacci",
    "linear",
    "registry",
    "remaining",
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
        "CarryingExecutor": "seawall.policies.timeout.carrying",
        "Event": "seawall.events",
        "Window": "seawall.windows",
        "calls": "seawall.windows",
        "carried": "seawall.policies.timeout.carrying",
        "constant": "seawall.policies.backoff",
        "custom": "seawall.policies.backoff",
        "deadline": "seawall.policies.timeout.deadlines",
        "events": "seawall.events",
        "exponential": "seawall.policies.backoff",
        "fibonacci": "seawall.policies.backoff",
        "linear": "seawall.policies.backoff",
        "remaining": "seawall.policies.timeout.deadlines",
        "seconds": "seawall.windows",
        "subscribe": "seawall.events",
        "testing": "seawall.testing",
        "unhealthy": "seawall.clients",
    },
)
