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
    CompositionWarning,
    ConfigError,
    DeadlineExceededError,
    NestedRetryError,
    Problem,
    Rejected,
    RetriesExhaustedError,
    RetryBudgetExhaustedError,
    SeawallError,
    ThreadsExhaustedError,
)
from seawall.pipeline import Pipeline
from seawall.policies.breaker import CircuitBreaker, circuit_breaker
from seawall.policies.retry import Retry, retry
from seawall.policies.timeout import Timeout, timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import events, testing
    from seawall.clients import transient, unhealthy
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
    from seawall.policies.budget import (
        BudgetEvent,
        BudgetExhausted,
        BudgetRecovered,
        BudgetSettings,
        BudgetSnapshot,
        RetryBudget,
    )
    from seawall.policies.retry import (
        Attempt,
        RetryEvent,
        RetryGaveUp,
        RetryRecovered,
        RetryScheduled,
        RetrySettings,
        RetrySnapshot,
    )
    from seawall.policies.timeout import (
        TimeoutEvent,
        TimeoutLate,
        TimeoutSettings,
        TimeoutSnapshot,
        TimeoutTimedOut,
    )
    from seawall.policies.timeout.carrying import CarryingExecutor, carried
    from seawall.policies.timeout.deadlines import deadline, remaining
    from seawall.standards import standard
    from seawall.windows import Window, calls, seconds

__all__ = [
    "OTHER_KEYS",
    "Attempt",
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
    "BudgetEvent",
    "BudgetExhausted",
    "BudgetRecovered",
    "BudgetSettings",
    "BudgetSnapshot",
    "CallTimeoutError",
    "CarryingExecutor",
    "CircuitBreaker",
    "CircuitOpenError",
    "CompositionWarning",
    "ConfigError",
    "DeadlineExceededError",
    "Event",
    "NestedRetryError",
    "Outcome",
    "Pipeline",
    "Problem",
    "Rejected",
    "RetriesExhaustedError",
    "Retry",
    "RetryBudget",
    "RetryBudgetExhaustedError",
    "RetryEvent",
    "RetryGaveUp",
    "RetryRecovered",
    "RetryScheduled",
    "RetrySettings",
    "RetrySnapshot",
    "SeawallError",
    "ThreadsExhaustedError",
    "Timeout",
    "TimeoutEvent",
    "TimeoutLate",
    "TimeoutSettings",
    "TimeoutSnapshot",
    "TimeoutTimedOut",
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
    "retry",
    "seconds",
    "standard",
    "subscribe",
    "testing",
    "timeout",
    "transient",
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
        "BudgetEvent": "seawall.policies.budget",
        "BudgetExhausted": "seawall.policies.budget",
        "BudgetRecovered": "seawall.policies.budget",
        "BudgetSettings": "seawall.policies.budget",
        "BudgetSnapshot": "seawall.policies.budget",
        "CarryingExecutor": "seawall.policies.timeout.carrying",
        "Event": "seawall.events",
        "OTHER_KEYS": "seawall.keys",
        "RetryBudget": "seawall.policies.budget",
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
        "Attempt": "seawall.policies.retry",
        "RetryEvent": "seawall.policies.retry",
        "RetryGaveUp": "seawall.policies.retry",
        "RetryRecovered": "seawall.policies.retry",
        "RetryScheduled": "seawall.policies.retry",
        "RetrySettings": "seawall.policies.retry",
        "RetrySnapshot": "seawall.policies.retry",
        "TimeoutEvent": "seawall.policies.timeout",
        "TimeoutLate": "seawall.policies.timeout",
        "TimeoutSettings": "seawall.policies.timeout",
        "TimeoutSnapshot": "seawall.policies.timeout",
        "TimeoutTimedOut": "seawall.policies.timeout",
        "remaining": "seawall.policies.timeout.deadlines",
        "seconds": "seawall.windows",
        "standard": "seawall.standards",
        "subscribe": "seawall.events",
        "testing": "seawall.testing",
        "transient": "seawall.clients",
        "unhealthy": "seawall.clients",
    },
)
