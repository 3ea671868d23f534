"""seawall: a resilience runtime for Python services.

This module is the index of the public names.
"""

from seawall import events, registry, testing
from seawall._core import Outcome
from seawall.errors import CircuitOpenError, ConfigError, Problem, Rejected, SeawallError
from seawall.events import Event, subscribe
from seawall.pipeline import Pipeline
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
    CircuitBreaker,
    circuit_breaker,
)
from seawall.clients import unhealthy
from seawall.windows import Window, calls, seconds

__all__ = [
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
