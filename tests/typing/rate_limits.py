"""What the type checkers see of a rate limit. Checked, never run."""

from datetime import timedelta
from typing import assert_type

import seawall

rate = seawall.RateLimit("typed", 100, per=timedelta(minutes=1), burst=5, max_wait=0.5)
window = seawall.rate_limit("typed too", 1000, per="month", key="user", cost=len)


@rate
async def later(order: int, /, *, loud: bool = False) -> list[str]:
    """A coroutine function."""
    return [str(loud)] * order


def share(user: str, size: int = 1) -> float:
    """What a call costs."""
    return len(user) * size


@seawall.rate_limit(limit=5, cost=share)
def plain(user: str, size: int = 1) -> str:
    """A plain function."""
    return user * size


def hear(event: seawall.RateLimitEvent) -> None:
    """A listener."""
    assert_type(event.cost, float)
    if isinstance(event, seawall.RateLimitDelayed):
        assert_type(event.wait, float)
    if isinstance(event, seawall.RateLimitRejected):
        assert_type(event.retry_after, float | None)


async def right() -> None:
    """What is right."""
    assert_type(rate, seawall.RateLimit)
    assert_type(window, seawall.RateLimit)
    assert_type(await later(1, loud=True), list[str])
    assert_type(plain("ann"), str)
    assert_type(rate.call(plain, "ann"), str)
    assert_type(rate.try_call(plain, "ann", size=2), seawall.Outcome[str])
    assert_type(rate.snapshot(), seawall.RateLimitSnapshot)
    assert_type(window.snapshot(key="ann").available, float)
    assert_type(rate.retry_after, float | None)
    rate.reconfigure(limit=50, per="day", burst=None, on_event=hear)
    try:
        with rate:
            pass
    except seawall.RateLimitedError as error:
        assert_type(error.cost, float)
        assert_type(error.retry_after, float | None)


def wrong() -> None:
    """What the checkers refuse."""
    plain(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no text
    seawall.rate_limit("sms", "100")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no number
    seawall.rate_limit("sms", 5, per="fortnight")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no such window
    rate.reconfigure(rate=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - no such setting
