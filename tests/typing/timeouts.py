"""What the type checkers see of a timeout. Checked, never run."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, assert_type

import seawall

by_number = seawall.Timeout(2, name="typed")
by_timedelta = seawall.timeout(timedelta(seconds=2), pool="threads", max_threads=4)


@seawall.timeout(2.0)
async def later(order: int, /, *, loud: bool = False) -> list[str]:
    """A coroutine function."""
    return [str(loud)] * order


@by_timedelta
def plain(order: int) -> str:
    """A plain function in a thread."""
    return str(order)


def hear(event: seawall.TimeoutEvent) -> None:
    """A listener."""
    assert_type(event.elapsed, float)
    assert_type(event.limit, float)


async def right() -> None:
    """What is right."""
    assert_type(by_number, seawall.Timeout)
    assert_type(by_timedelta, seawall.Timeout)
    call: Coroutine[Any, Any, list[str]] = later(1, loud=True)
    assert_type(await call, list[str])
    assert_type(await later(1), list[str])
    assert_type(plain(1), str)
    assert_type(by_number.call(plain, 1), str)
    assert_type(by_number.try_call(plain, 1), seawall.Outcome[str])
    assert_type(await by_number.call(later, 1), list[str])
    assert_type(by_number.snapshot(), seawall.TimeoutSnapshot)
    assert_type(by_number.snapshot().threads, int)
    by_number.reconfigure(seconds=3, on_event=hear)
    by_timedelta.reconfigure(max_threads=None)


async def wrong() -> None:
    """What the checkers refuse."""
    await later("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no int
    plain()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - an argument is missing
    seawall.Timeout()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - how long?
    seawall.timeout("2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no time
    seawall.timeout(2, pool="processes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - there is no such pool
