"""The settings of a retry, in one place for the class, the decorator and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from seawall import lazy
from seawall._core import Outcome

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["RetrySettings"]

Seconds: TypeAlias = float | timedelta
Exceptions: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


class RetrySettings(TypedDict, total=False):
    """Settings of a retry. Each may be left out, or be None, for its default.

    Attributes:
        attempts: How often the function is called at most, the first call included (default 3).
        on: The exceptions that are tried again: classes, or a predicate. Default `transient`. Of
            seawall's own rejections only those whose class is listed.
        ignore: Exceptions that are not, whatever ``on`` says.
        on_result: A predicate of the returned value: true asks for another attempt. After the
            last, the value is returned.
        backoff: How long to wait: seconds, a backoff, or a callable of the `Outcome` that answers
            seconds or None (the default); or a mapping from exception classes to these, of which
            the first that fits is taken. Default: ``exponential(0.1, cap=5, jitter="full")``.
        max_delay: Seconds that no wait is longer than, whoever asked for it. Without it, and with a
            backoff that has no cap, what others ask for is at most 60 s.
        max_duration: Seconds after the call's beginning from which on no attempt starts. What
            could only start later is given up at once, not slept for.
        budget: A `RetryBudget`, or the name of one, which is looked up at the first call. It is
            asked before each further attempt; exhausted, the call is given up.
        retry_after: Whether to wait at least as long as the service asks for (``Retry-After`` and
            its kin), or one of seawall's own rejections that is tried again (default True); at
            most the cap of the backoff and ``max_delay``.
        nested: Inside of another retry: ``"inherit"`` (default) makes one attempt while that has
            attempts left, ``"independent"`` lets them multiply, ``"refuse"`` raises
            `NestedRetryError`. A program's first nested retry is not seen if it is made inside of
            the call that it is nested in.
        reraise: True (default) lets the last error through, with a note on it; False raises
            `RetriesExhaustedError` from it, unless a generator raised it after its first item.
        before_sleep: Called with the `RetryScheduled` before each wait.
        after_end: Called with the `RetryRecovered` or `RetryGaveUp` at the end of a call that
            took more than one attempt, or was given up.
        on_event: Called with each `RetryEvent` of this retry.
    """

    attempts: int | None
    on: Exceptions | None
    ignore: Exceptions | None
    on_result: Callable[[Any], bool] | None
    backoff: (
        Seconds
        | t.Backoff
        | Callable[[Outcome[Any]], Seconds | None]
        | Mapping[type[Exception], Seconds | t.Backoff | Callable[[Outcome[Any]], Seconds | None]]
        | None
    )
    max_delay: Seconds | None
    max_duration: Seconds | None
    budget: t.RetryBudget | str | None
    retry_after: bool | None
    nested: Literal["inherit", "independent", "refuse"] | None
    reraise: bool | None
    before_sleep: Callable[[t.RetryScheduled], object] | None
    after_end: Callable[[t.RetryEvent], object] | None
    on_event: Callable[[t.RetryEvent], object] | None
