"""The bulkhead's settings, in one place for the class, the decorator and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Literal, TypedDict

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["BulkheadSettings"]


class BulkheadSettings(TypedDict, total=False):
    """Settings of a bulkhead. Each may be left out, or be None, for its default.

    Attributes:
        max_concurrent: How many calls may run at once (default 10).
        max_wait: How long a call waits for another to end, in seconds (default 0: it is refused
            at once). A deadline that comes first ends the waiting.
        max_queue: How many calls may wait (default 100); those beyond are refused at once.
        pool: ``"threads"`` runs plain functions in threads of the bulkhead's own, in their caller's
            context. Default: they run where they are called.
        on_event: Called with each `BulkheadEvent` of this bulkhead, on the thread that caused it.
        key: What a call's own limit is looked up by: a callable of the arguments, or the name of
            one of them. None: one limit for all calls. Calls whose key is None have one together.
        max_keys: How many keys have a limit at once (default 10 000). Beyond, the least recently
            used are forgotten, but never one that has calls in flight or waiting; if all of those
            looked at must stay, newcomers share one limit, `seawall.OTHER_KEYS`.
        key_idle: Seconds (default 600) after which a key that nobody used may be forgotten, also
            where there is room.
    """

    max_concurrent: int | None
    max_wait: t.Seconds | None
    max_queue: int | None
    pool: Literal["threads"] | None
    on_event: Callable[[t.BulkheadEvent], object] | None
    key: Callable[..., Hashable] | str | None
    max_keys: int | None
    key_idle: t.Seconds | None
