"""The settings of a hedge, in one place for the class, the decorator and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["HedgeSettings"]


class HedgeSettings(TypedDict, total=False):
    """Settings of a hedge. Each may be left out, or be None, for its default.

    Attributes:
        delay: After how long without an answer another attempt starts beside the last: seconds, or
            a `quantile` of how long calls take. Default ``quantile(0.95)``, which hedges no slow
            call before it has seen 100.
        max_hedges: How many attempts a call may have besides the first, 1 to 15 (default 1).
        budget: A `RetryBudget`, or the name of one, which is looked up at the first call. It is
            asked before each attempt besides the first; exhausted, the call has no further one.
        on: The exceptions after which another attempt may do better: classes, or a predicate
            (default Exception). Any other ends the call at once. Of seawall's own rejections only
            those whose class is listed.
        ignore: Exceptions that end the call at once, whatever ``on`` says.
        on_result: A predicate of the returned value: true means that it is no good answer.
        max_losers: How many attempts that have lost may still run, in all, before none is started
            besides the first (default 256).
        max_threads: Of plain functions, which run in threads of the hedge's own: how many there
            may be at once, those among them that run losers (default 256). Calls beyond get a
            `ThreadsExhaustedError`.
        on_event: Called with each `HedgeEvent` of this hedge.
    """

    delay: t.Seconds | t.Quantile | None
    max_hedges: int | None
    budget: t.RetryBudget | str | None
    on: t.Exceptions | None
    ignore: t.Exceptions | None
    on_result: Callable[[Any], bool] | None
    max_losers: int | None
    max_threads: int | None
    on_event: Callable[[t.HedgeEvent], object] | None
