"""Backoffs: how long to wait before trying again.

The values made here are descriptions. They are checked by the policy that takes them, which then
reports every wrong setting at once; the delays are computed by the native core.

In the formulas ``n`` counts the delays of one run from 0, ``b`` is the base, ``d`` the delay
before jitter (cap included) and ``U`` a uniform random number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

Jitter: TypeAlias = Literal["none", "full", "equal", "decorrelated", "smooth"] | float
"""How delays are spread, so that clients that failed together do not return together.

- ``"none"``: ``d``.
- ``"full"``: ``U(0, d)``; ``"equal"``: ``d/2 + U(0, d/2)``; ``"decorrelated"``:
  ``U(b, 3 · previous delay)``. Source: Marc Brooker, "Exponential Backoff And Jitter", AWS
  Architecture Blog.
- ``"smooth"``: ``b · (s(t) - s(previous t)) / 1.4`` with ``t = n + U(0, 1)`` and
  ``s(t) = 2**t · tanh(sqrt(4t))``; medians near 0.90, 1.14, 2, 4, 8, 16 times ``b``. Source:
  Polly v8, exponential delays with jitter.
- a number from 0 to 1: that share of ``d`` to both sides, ``d · (1 ± share)``. Source:
  resilience4j, randomized intervals.

``"decorrelated"`` and ``"smooth"`` bring their own growth: they go with `exponential` of factor 2.
"""


class Backoff(NamedTuple):
    """A sequence of delays, as it was asked for. Made by the functions of this module.

    Two backoffs that say the same are equal, which is how a policy declared twice is recognised.
    """

    kind: Literal["constant", "linear", "exponential", "fibonacci", "custom"]
    """How the delays grow."""
    base: float = 0.0
    """``b``, in seconds."""
    factor: float = 2.0
    """Growth from one delay to the next; `exponential` only."""
    cap: float | None = None
    """The longest delay, in seconds; None for no limit but the core's ten years."""
    jitter: Jitter = "none"
    """How the delays are spread."""
    callable: Callable[[int], t.Seconds] | None = None
    """What gives the delays; `custom` only."""


def constant(seconds: t.Seconds, *, jitter: Jitter = "none") -> Backoff:
    """The same delay every time: ``b``.

    Args:
        seconds: The delay, in seconds or as a timedelta.
        jitter: How it is spread, see `Jitter`.
    """
    return Backoff("constant", _seconds(seconds), jitter=jitter)


def linear(base: t.Seconds, *, cap: t.Seconds | None = None, jitter: Jitter = "none") -> Backoff:
    """Delays that grow by the base: ``b · (n + 1)``.

    Args:
        base: The first delay, in seconds or as a timedelta.
        cap: The longest delay; bounds the result of the jitter too.
        jitter: How the delays are spread, see `Jitter`.
    """
    return Backoff("linear", _seconds(base), cap=_optional(cap), jitter=jitter)


def exponential(
    base: t.Seconds, *, factor: float = 2.0, cap: t.Seconds | None = None, jitter: Jitter = "full"
) -> Backoff:
    """Delays that grow by a factor: ``min(cap, b · factor**n)``.

    Args:
        base: The first delay before jitter, in seconds or as a timedelta.
        factor: What each delay is multiplied by to give the next; at least 1.
        cap: The longest delay; bounds the result of the jitter too.
        jitter: How the delays are spread, see `Jitter`.
    """
    return Backoff("exponential", _seconds(base), factor, _optional(cap), jitter)


def fibonacci(base: t.Seconds, *, cap: t.Seconds | None = None, jitter: Jitter = "none") -> Backoff:
    """Delays that grow like Fibonacci's numbers: ``b · F(n + 1)``, F = 1, 1, 2, 3, 5, ….

    Args:
        base: The first and the second delay, in seconds or as a timedelta.
        cap: The longest delay; bounds the result of the jitter too.
        jitter: How the delays are spread, see `Jitter`.
    """
    return Backoff("fibonacci", _seconds(base), cap=_optional(cap), jitter=jitter)


def custom(call: Callable[[int], t.Seconds], /, *, cap: t.Seconds | None = None) -> Backoff:
    """Delays that a function gives.

    Args:
        call: Given the number ``n`` of the delay, counted from 0, returns it in seconds or as a
            timedelta; jitter is its own affair.
        cap: The longest delay, whatever the function returns.
    """
    return Backoff("custom", cap=_optional(cap), callable=call)


def _seconds(time: t.Seconds) -> float:
    # What is no time at all passes through: the policy that takes the backoff names it.
    # By its method: `datetime` is not imported for those who give numbers.
    total = getattr(time, "total_seconds", None)
    return cast("float", total() if callable(total) else time)


def _optional(time: t.Seconds | None) -> float | None:
    return None if time is None else _seconds(time)
