"""Idempotency: an effect happens once for each key, whatever crashes."""

from seawall import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.idempotency.blocks import idempotency_key
    from seawall.idempotency.claim import Claim, current_claim
    from seawall.idempotency.decorator import idempotent
    from seawall.idempotency.errors import (
        AttemptsExhaustedError,
        FingerprintMismatchError,
        IdempotencyError,
        IdempotencyKeyError,
        LeaseLostError,
        NestedOperationError,
        OperationInProgressError,
        OutcomeNotRecordedError,
        OutcomeUnknownError,
        ResultUnavailableError,
    )
    from seawall.idempotency.events import (
        IdempotencyConflict,
        IdempotencyEnded,
        IdempotencyEvent,
        IdempotencyLeaseLost,
        IdempotencyMismatched,
        IdempotencyOwned,
        IdempotencyReplayed,
        IdempotencyUnrecorded,
        IdempotencyUnresolved,
    )
    from seawall.idempotency.operation import IdempotencySnapshot
    from seawall.idempotency.settings import IdempotencySettings

__all__ = [
    "AttemptsExhaustedError",
    "Claim",
    "FingerprintMismatchError",
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
    "OperationInProgressError",
    "OutcomeNotRecordedError",
    "OutcomeUnknownError",
    "ResultUnavailableError",
    "current_claim",
    "idempotency_key",
    "idempotent",
]

_ERRORS = (
    "AttemptsExhaustedError",
    "FingerprintMismatchError",
    "IdempotencyError",
    "IdempotencyKeyError",
    "LeaseLostError",
    "NestedOperationError",
    "OperationInProgressError",
    "OutcomeNotRecordedError",
    "OutcomeUnknownError",
    "ResultUnavailableError",
)
_EVENTS = (
    "IdempotencyConflict",
    "IdempotencyEnded",
    "IdempotencyEvent",
    "IdempotencyLeaseLost",
    "IdempotencyMismatched",
    "IdempotencyOwned",
    "IdempotencyReplayed",
    "IdempotencyUnrecorded",
    "IdempotencyUnresolved",
)
__getattr__, __dir__ = lazy.names(
    __name__,
    {
        **dict.fromkeys(_ERRORS, f"{__name__}.errors"),
        **dict.fromkeys(_EVENTS, f"{__name__}.events"),
        "Claim": f"{__name__}.claim",
        "IdempotencySettings": f"{__name__}.settings",
        "IdempotencySnapshot": f"{__name__}.operation",
        "current_claim": f"{__name__}.claim",
        "idempotency_key": f"{__name__}.blocks",
        "idempotent": f"{__name__}.decorator",
    },
)
