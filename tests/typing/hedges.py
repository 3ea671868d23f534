"""What the type checkers see of a hedge. Checked, never run."""

from datetime import timedelta
from typing import assert_type

import seawall


@seawall.hedge
def bare(number: int) -> str:
    """A plain function."""
    return str(number)


@seawall.hedge("called", delay=timedelta(milliseconds=50), max_hedges=2, budget="payments")
async def called(number: int) -> str:
    """A coroutine function."""
    return str(number)


@seawall.Hedge(
    "instance",
    delay=seawall.quantile(0.95, min_samples=50, initial=0.1, max_delay=timedelta(seconds=1)),
    on=(OSError, TimeoutError),
    on_result=lambda value: value is None,
    budget=seawall.RetryBudget("payments"),
)
async def instance(number: int) -> str | None:
    """A coroutine function that may find nothing."""
    return str(number)


def heard(event: seawall.HedgeEvent) -> None:
    """A listener."""
    if isinstance(event, seawall.HedgeStarted):
        assert_type(event.delay, float | None)
    if isinstance(event, seawall.HedgeFailed):
        assert_type(event.error, BaseException | None)


async def uses() -> None:
    """What is got from them."""
    assert_type(bare(1), str)
    assert_type(await called(1), str)
    assert_type(await instance(1), str | None)
    policy = seawall.Hedge(delay=1, on_event=heard)
    assert_type(policy.snapshot().losers, int)
    assert_type(policy.snapshot().delay, float | None)
    assert_type(policy.call(bare, 1), str)
    assert_type(policy.try_call(bare, 1).hedged, bool)
    policy.reconfigure(delay=seawall.quantile(0.99), max_losers=10)


bare("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
seawall.Hedge(delay="soon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
seawall.Hedge(hedges=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
seawall.quantile()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
