"""The settings of a rate limit, in one place for the class, the decorator and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["CalendarWindow", "RateLimitSettings"]

CalendarWindow: TypeAlias = Literal["second", "minute", "hour", "day", "week", "month"]
Seconds: TypeAlias = float | timedelta


class RateLimitSettings(TypedDict, total=False):
    """Settings of a rate limit beside its number. Each may be left out, or be None: its default.

    Attributes:
        per: In how many seconds (default 1), spread evenly beyond the burst; or ``"second"``,
            ``"minute"``, ``"hour"``, ``"day"``, ``"week"`` (from Monday on) or ``"month"``: in each
            such window of the calendar, in UTC.
        burst: How many may come at once after a pause (default: the limit). Not for windows of the
            calendar, each of which has its limit at once.
        cost: What a call takes of the limit (default 1): a number of which three decimals count, or
            a callable of the arguments that answers one. What costs nothing is always let in.
        max_wait: How many seconds a call may wait to be let in (default 0: none waits). One that
            would have to wait for longer, or past its `deadline`, is refused at once.
        on_event: Called with each `RateLimitEvent` of this limit, on the thread that caused it.
        key: What a call's own state is looked up by: a callable of the arguments, or the name of
            one of them. None: one state for all calls. Calls whose key is None have one together.
        max_keys: How many keys have a state at once (default 10 000). Beyond, the least recently
            used are forgotten, but never one that is not full again; if all of those looked at
            must stay, newcomers share one state, `seawall.OTHER_KEYS`.
        key_idle: Seconds (default 600) after which a state that nobody used may be forgotten, also
            where there is room.
    """

    per: Seconds | CalendarWindow | None
    burst: float | None
    cost: float | Callable[..., float] | None
    max_wait: Seconds | None
    on_event: Callable[[t.RateLimitEvent], object] | None
    key: Callable[..., Hashable] | str | None
    max_keys: int | None
    key_idle: Seconds | None
