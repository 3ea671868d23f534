"""Stores: what outlives a process, in memory, in a file or on a server."""

from seawall.stores.errors import (
    NotResolvableError,
    StoreBusyError,
    StoreClosedError,
    StoreConnectionError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreNewerError,
    StoreTimeoutError,
    StoreUnavailableError,
    StoreWarning,
)
from seawall.stores.opening import open_store
from seawall.stores.record import Record, RecordState, StoreCounts, StoreStats
from seawall.stores.store import Store

__all__ = [
    "NotResolvableError",
    "Record",
    "RecordState",
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
    "open_store",
]
