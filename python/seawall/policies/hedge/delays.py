"""A delay that follows how long calls take."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seawall import lazy

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Quantile", "quantile"]


class Quantile(NamedTuple):
    """A delay that follows how long calls take. Made by `quantile`; checked by the hedge."""

    share: float
    min_samples: int | None
    window: int | None
    initial: t.Seconds | None
    min_delay: t.Seconds | None
    max_delay: t.Seconds | None

    def __repr__(self) -> str:
        """As it was made: ``quantile(0.95)``."""
        named = zip(self._fields[1:], self[1:], strict=True)
        said = "".join(f", {name}={value!r}" for name, value in named if value is not None)
        return f"quantile({self.share!r}{said})"


def quantile(
    share: float,
    /,
    *,
    min_samples: int | None = None,
    window: int | None = None,
    initial: t.Seconds | None = None,
    min_delay: t.Seconds | None = None,
    max_delay: t.Seconds | None = None,
) -> Quantile:
    """Hedges the calls that take longer than this share of the last ones.

    With 0.95, one call in twenty is made a second time (J. Dean and L. A. Barroso, "The Tail at
    Scale", 2013). The latencies are those of first attempts: of one that lost against another
    attempt, how long it had run by then, which is longer than the delay. So hedging does not hide
    slow calls from the quantile. What is answered is at most 1/16 above the quantile itself.

    Args:
        share: More than 0 and less than 1.
        min_samples: How many latencies it takes (default 100, or the window if that is smaller).
        window: How many of the last ones are remembered, 10 to 100 000 (default 1000).
        initial: Seconds to wait before there are enough. Default: no call is hedged for being slow
            until then.
        min_delay: Seconds that the delay is never shorter than (default 0.001).
        max_delay: Seconds that it is never longer than.
    """
    return Quantile(share, min_samples, window, initial, min_delay, max_delay)
