"""What may be said beside a store, and beside a transaction; for type checkers alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from seawall.idempotency.events import IdempotencyEvent
from seawall.idempotency.settings import Errors, OnConflict, OnError, OnLost, OnStoreError, Seconds

__all__ = ["BesideStore", "BesideTransaction"]


class BesideTransaction(TypedDict, total=False):
    """What has a meaning where a rollback leaves nothing."""

    ttl: Seconds | None
    on_conflict: OnConflict | None
    wait: Seconds | None
    codec: Any
    max_result: int | None
    default: Any
    on_event: Callable[[IdempotencyEvent], object] | None


class BesideStore(BesideTransaction, total=False):
    """That, and what is said of owners that are lost, of errors, and of a store that is down."""

    lease: Seconds | None
    max_lease: Seconds | None
    attempts: int | None
    on_lost: OnLost | None
    on_error: OnError | None
    at_most_once: bool
    safe_errors: Errors
    store_errors: Errors
    on_store_error: OnStoreError | None
