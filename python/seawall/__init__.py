"""seawall: a resilience runtime for Python services.

This module is the index of the public names. Those that most programs never touch are loaded when
somebody asks for them.
"""

from seawall import lazy, registry
from seawall._core import Outcome
from seawall.errors import (
    BlockingWaitWarning,
    BulkheadFullError,
    CircuitOpenError,
    CompositionWarning,
    ConfigError,
    NestedRetryError,
    NotRememberedWarning,
    Problem,
    RateLimitedError,
    Rejected,
    RetriesExhaustedError,
    RetryBudgetExhaustedError,
    SeawallError,
    ThreadsExhaustedError,
)
from seawall.pipeline import Pipeline
from seawall.policies.breaker import CircuitBreaker, circuit_breaker
from seawall.policies.bulkhead import Bulkhead, bulkhead
from seawall.policies.fallback import Fallback, fallback
from seawall.policies.hedge import Hedge, hedge
from seawall.policies.rate_limit import RateLimit, rate_limit
from seawall.policies.retry import Retry, retry
from seawall.policies.timeout import Timeout, timeout
from seawall.policies.timeout.errors import CallTimeoutError, DeadlineExceededError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import codecs, events, testing
    from seawall.clients import transient, unhealthy
    from seawall.codecs.errors import DecodeError, EncodeError, ReplayedError
    from seawall.events import Event, subscribe
    from seawall.idempotency import (
        AttemptsExhaustedError,
        Claim,
        FingerprintMismatchError,
        IdempotencyConflict,
        IdempotencyEnded,
        IdempotencyError,
        IdempotencyEvent,
        IdempotencyKeyError,
        IdempotencyLeaseLost,
        IdempotencyMismatched,
        IdempotencyOwned,
        IdempotencyReplayed,
        IdempotencySettings,
        IdempotencySnapshot,
        IdempotencyUnrecorded,
        IdempotencyUnresolved,
        LeaseLostError,
        NestedOperationError,
        OperationInProgressError,
        OutcomeNotRecordedError,
        OutcomeUnknownError,
        ResultUnavailableError,
        current_claim,
        idempotency_key,
        idempotent,
    )
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
    from seawall.policies.bulkhead import (
        BulkheadEvent,
        BulkheadRejected,
        BulkheadSettings,
        BulkheadSnapshot,
        BulkheadWaited,
    )
    from seawall.policies.fallback import (
        FallbackEvent,
        FallbackFailed,
        FallbackSettings,
        FallbackSnapshot,
        FallbackStale,
        FallbackUsed,
    )
    from seawall.policies.hedge import (
        HedgeEvent,
        HedgeFailed,
        HedgeRefused,
        HedgeSettings,
        HedgeSnapshot,
        HedgeStarted,
        HedgeWon,
        Quantile,
        quantile,
    )
    from seawall.policies.rate_limit import (
        RateLimitDelayed,
        RateLimitEvent,
        RateLimitRejected,
        RateLimitSettings,
        RateLimitSnapshot,
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
    from seawall.stores import (
        NotResolvableError,
        Record,
        RecordState,
        Store,
        StoreBusyError,
        StoreClosedError,
        StoreConnectionError,
        StoreCounts,
        StoreDamagedError,
        StoreError,
        StoreFullError,
        StoreNewerError,
        StoreStats,
        StoreTimeoutError,
        StoreUnavailableError,
        StoreWarning,
        open_store,
    )
    from seawall.windows import Window, calls, seconds

__all__ = [
    "OTHER_KEYS",
    "Attempt",
    "AttemptsExhaustedError",
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
    "Bulkhead",
    "BulkheadEvent",
    "BulkheadFullError",
    "BulkheadRejected",
    "BulkheadSettings",
    "BulkheadSnapshot",
    "BulkheadWaited",
    "CallTimeoutError",
    "CarryingExecutor",
    "CircuitBreaker",
    "CircuitOpenError",
    "Claim",
    "CompositionWarning",
    "ConfigError",
    "DeadlineExceededError",
    "DecodeError",
    "EncodeError",
    "Event",
    "Fallback",
    "FallbackEvent",
    "FallbackFailed",
    "FallbackSettings",
    "FallbackSnapshot",
    "FallbackStale",
    "FallbackUsed",
    "FingerprintMismatchError",
    "Hedge",
    "HedgeEvent",
    "HedgeFailed",
    "HedgeRefused",
    "HedgeSettings",
    "HedgeSnapshot",
    "HedgeStarted",
    "HedgeWon",
    "IdempotencyConflict",
    "IdempotencyEnded",
    "IdempotencyError",
    "IdempotencyEvent",
    "IdempotencyKeyError",
    "IdempotencyLeaseLost",
    "IdempotencyMismatched",
    "IdempotencyOwned",
    "IdempotencyReplayed",
    "IdempotencySettings",
    "IdempotencySnapshot",
    "IdempotencyUnrecorded",
    "IdempotencyUnresolved",
    "LeaseLostError",
    "NestedOperationError",
    "NestedRetryError",
    "NotRememberedWarning",
    "NotResolvableError",
    "OperationInProgressError",
    "Outcome",
    "OutcomeNotRecordedError",
    "OutcomeUnknownError",
    "Pipeline",
    "Problem",
    "Quantile",
    "RateLimit",
    "RateLimitDelayed",
    "RateLimitEvent",
    "RateLimitRejected",
    "RateLimitSettings",
    "RateLimitSnapshot",
    "RateLimitedError",
    "Record",
    "RecordState",
    "Rejected",
    "ReplayedError",
    "ResultUnavailableError",
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
    "Store",
    "StoreBusyError",
    "StoreClosedError",
    "StoreConnectionError",
    "StoreCounts",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreNewerError",
    "StoreStats",
    "StoreTimeoutError",
    "StoreUnavailableError",
    "StoreWarning",
    "ThreadsExhaustedError",
    "Timeout",
    "TimeoutEvent",
    "TimeoutLate",
    "TimeoutSettings",
    "TimeoutSnapshot",
    "TimeoutTimedOut",
    "Window",
    "bulkhead",
    "calls",
    "carried",
    "circuit_breaker",
    "codecs",
    "constant",
    "current_claim",
    "custom",
    "deadline",
    "events",
    "exponential",
    "fallback",
    "fibonacci",
    "hedge",
    "idempotency_key",
    "idempotent",
    "linear",
    "open_store",
    "quantile",
    "rate_limit",
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
    lazy.homes(
        {
            "seawall.clients": "transient unhealthy",
            "seawall.codecs": "codecs",
            "seawall.codecs.errors": "DecodeError EncodeError ReplayedError",
            "seawall.events": "Event events subscribe",
            "seawall.idempotency.blocks": "idempotency_key",
            "seawall.idempotency.claim": "Claim current_claim",
            "seawall.idempotency.decorator": "idempotent",
            "seawall.idempotency.errors": (
                "AttemptsExhaustedError FingerprintMismatchError IdempotencyError "
                "IdempotencyKeyError LeaseLostError NestedOperationError "
                "OperationInProgressError OutcomeNotRecordedError OutcomeUnknownError "
                "ResultUnavailableError"
            ),
            "seawall.idempotency.events": (
                "IdempotencyConflict IdempotencyEnded IdempotencyEvent IdempotencyLeaseLost "
                "IdempotencyMismatched IdempotencyOwned IdempotencyReplayed IdempotencyUnrecorded "
                "IdempotencyUnresolved"
            ),
            "seawall.idempotency.operation": "IdempotencySnapshot",
            "seawall.idempotency.settings": "IdempotencySettings",
            "seawall.keys": "OTHER_KEYS",
            "seawall.policies.backoff": "Backoff constant custom exponential fibonacci linear",
            "seawall.policies.breaker": (
                "BreakerClosed BreakerDisabled BreakerEvent BreakerForcedOpen BreakerHalfOpened "
                "BreakerMetricsOnly BreakerOpened BreakerReset BreakerSettings BreakerSnapshot "
                "BreakerWouldOpen"
            ),
            "seawall.policies.budget": (
                "BudgetEvent BudgetExhausted BudgetRecovered BudgetSettings BudgetSnapshot "
                "RetryBudget"
            ),
            "seawall.policies.bulkhead": (
                "BulkheadEvent BulkheadRejected BulkheadSettings BulkheadSnapshot BulkheadWaited"
            ),
            "seawall.policies.fallback": (
                "FallbackEvent FallbackFailed FallbackSettings FallbackSnapshot FallbackStale "
                "FallbackUsed"
            ),
            "seawall.policies.hedge": (
                "HedgeEvent HedgeFailed HedgeRefused HedgeSettings HedgeSnapshot HedgeStarted "
                "HedgeWon Quantile quantile"
            ),
            "seawall.policies.rate_limit": (
                "RateLimitDelayed RateLimitEvent RateLimitRejected RateLimitSettings "
                "RateLimitSnapshot"
            ),
            "seawall.policies.retry": (
                "Attempt RetryEvent RetryGaveUp RetryRecovered RetryScheduled RetrySettings "
                "RetrySnapshot"
            ),
            "seawall.policies.timeout": (
                "TimeoutEvent TimeoutLate TimeoutSettings TimeoutSnapshot TimeoutTimedOut"
            ),
            "seawall.policies.timeout.carrying": "CarryingExecutor carried",
            "seawall.policies.timeout.deadlines": "deadline remaining",
            "seawall.standards": "standard",
            "seawall.stores": "Record RecordState Store StoreCounts StoreStats open_store",
            "seawall.stores.errors": (
                "NotResolvableError StoreBusyError StoreClosedError StoreConnectionError "
                "StoreDamagedError StoreError StoreFullError StoreNewerError StoreTimeoutError "
                "StoreUnavailableError StoreWarning"
            ),
            "seawall.testing": "testing",
            "seawall.windows": "Window calls seconds",
        }
    ),
)
