"""The settings of a timeout, in one place for the class, the decorator and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypedDict

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["TimeoutSettings"]


class TimeoutSettings(TypedDict, total=False):
    """Settings of a timeout beside its length. Each may be left out, or be None, for its default.

    Attributes:
        pool: ``"threads"`` runs plain functions in threads of the timeout's own: their callers go
            on in time, and the thread is given up. Default: they run where they are called, and
            nothing can stop them; inside, the limit holds as a `deadline`.
        max_threads: How many threads there may be at once, those among them that hang in calls
            that were given up (default 256). Beyond, calls are refused.
        on_event: Called with each `TimeoutEvent` of this timeout.
    """

    pool: Literal["threads"] | None
    max_threads: int | None
    on_event: Callable[[t.TimeoutEvent], object] | None
