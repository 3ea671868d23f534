"""The fallback's settings, in one place for the class, the decorator and `reconfigure`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["FallbackSettings"]

Exceptions: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


class FallbackSettings(TypedDict, total=False):
    """Settings of a fallback. Each may be left out, or be None, for its default.

    Attributes:
        on: The exceptions that are answered for: classes, or a predicate. Default: every
            `Exception`, timeouts and the rejections of policies further in included. What cancels
            or interrupts a call never is.
        ignore: Exceptions that are not, whatever ``on`` says.
        on_result: A predicate of the returned value: true means that it is no good. If nothing
            else answers, that value is returned after all.
        stale: How old, in seconds, a remembered answer may be. The last good result of each call
            is remembered then, by ``key``, and is given when a call with this key fails: before
            any provider is asked. Default: nothing is remembered.
        key: What tells calls apart that have different answers: a callable of the arguments, or
            the name of one of them. A call for which it is None is not remembered. Default: all
            arguments, ``self`` included, by value and type. Whatever it is, functions have answers
            of their own.
        max_keys: How many answers are remembered at once (default 1 000). Beyond, those go that
            were not asked for lately.
        on_event: Called with each `FallbackEvent` of this fallback.
    """

    on: Exceptions | None
    ignore: Exceptions | None
    on_result: Callable[[Any], bool] | None
    stale: t.Seconds | None
    key: Callable[..., Hashable] | str | None
    max_keys: int | None
    on_event: Callable[[t.FallbackEvent], object] | None
