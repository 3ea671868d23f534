"""The words of the annotations, for whoever evaluates them at run time.

Type checkers follow the import; a program meets a `seawall.lazy.module` instead, and `typing`,
which would be half of what importing seawall costs, is loaded when somebody asks for a hint.
"""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
)
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeAlias, TypeVar, Unpack

from seawall.codecs.results import CodecChoice
from seawall.policies.backoff import Backoff
from seawall.policies.breaker.events import BreakerEvent
from seawall.policies.breaker.settings import BreakerSettings, BreakerState
from seawall.policies.breaker.snapshot import BreakerSnapshot
from seawall.policies.budget.events import BudgetEvent
from seawall.policies.budget.policy import RetryBudget
from seawall.policies.budget.settings import BudgetMode, BudgetSettings
from seawall.policies.budget.snapshot import BudgetSnapshot
from seawall.policies.bulkhead.events import BulkheadEvent
from seawall.policies.bulkhead.settings import BulkheadSettings
from seawall.policies.bulkhead.snapshot import BulkheadSnapshot
from seawall.policies.fallback.events import FallbackEvent
from seawall.policies.fallback.settings import FallbackSettings
from seawall.policies.fallback.snapshot import FallbackSnapshot
from seawall.policies.hedge.delays import Quantile
from seawall.policies.hedge.events import HedgeEvent
from seawall.policies.hedge.settings import HedgeSettings
from seawall.policies.hedge.snapshot import HedgeSnapshot
from seawall.policies.policy import Named, Policy
from seawall.policies.rate_limit.events import RateLimitEvent
from seawall.policies.rate_limit.settings import RateLimitSettings
from seawall.policies.rate_limit.snapshot import RateLimitSnapshot
from seawall.policies.retry.attempts import Attempt
from seawall.policies.retry.events import RetryEvent, RetryScheduled
from seawall.policies.retry.settings import Exceptions, RetrySettings
from seawall.policies.retry.snapshot import RetrySnapshot
from seawall.policies.timeout.events import TimeoutEvent
from seawall.policies.timeout.settings import TimeoutSettings
from seawall.policies.timeout.snapshot import TimeoutSnapshot

__all__ = [
    "Any",
    "AsyncIterator",
    "Attempt",
    "Awaitable",
    "Backoff",
    "BreakerEvent",
    "BreakerSettings",
    "BreakerSnapshot",
    "BreakerState",
    "BudgetEvent",
    "BudgetMode",
    "BudgetSettings",
    "BudgetSnapshot",
    "BulkheadEvent",
    "BulkheadSettings",
    "BulkheadSnapshot",
    "Callable",
    "ClassVar",
    "CodecChoice",
    "Collection",
    "Exceptions",
    "F",
    "FallbackEvent",
    "FallbackSettings",
    "FallbackSnapshot",
    "Hashable",
    "HedgeEvent",
    "HedgeSettings",
    "HedgeSnapshot",
    "Iterable",
    "Iterator",
    "Mapping",
    "Named",
    "P",
    "Policy",
    "Quantile",
    "R",
    "RateLimitEvent",
    "RateLimitSettings",
    "RateLimitSnapshot",
    "RetryBudget",
    "RetryEvent",
    "RetryScheduled",
    "RetrySettings",
    "RetrySnapshot",
    "Seconds",
    "Self",
    "TimeoutEvent",
    "TimeoutSettings",
    "TimeoutSnapshot",
    "Unpack",
    "timedelta",
]

#: What is decorated keeps its type.
F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any]")
P = TypeVar("P", bound="Named")
R = TypeVar("R")
Seconds: TypeAlias = float | timedelta
"""A time: a plain number is seconds."""
