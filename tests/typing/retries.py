"""What the type checkers see of retries. Checked, never run."""

from collections.abc import Generator
from datetime import timedelta
from typing import assert_type

import seawall

policy = seawall.Retry("typed", attempts=5, backoff=seawall.exponential(0.1), max_duration=30)


@seawall.retry
def bare(order: int, *, note: str = "") -> list[str]:
    """By the bare decorator."""
    return [note] * order


@seawall.retry
async def bare_later(order: int) -> str:
    """Async, by the bare decorator."""
    return str(order)


@seawall.retry(attempts=2, on=(OSError, ValueError), on_result=lambda value: value is None)
def called(order: int) -> float:
    """By the decorator that was called."""
    return order / 2


@seawall.retry("typed-later", backoff={OSError: 1, TimeoutError: seawall.linear(timedelta(0, 1))})
async def called_later(order: int, /, *more: str) -> bytes:
    """Async, by the decorator that was called with a name."""
    return bytes(order)


@policy
def items(order: int) -> Generator[int, str, bytes]:
    """A generator function."""
    yield len((yield order))
    return b""


class Shop:
    """Methods of each sort."""

    @seawall.retry
    def sell(self, order: int) -> bool:
        """An ordinary method, by the bare decorator."""
        return order > 0

    @seawall.retry(max_delay=timedelta(seconds=5))
    async def later(self, order: int) -> str:
        """An async one."""
        return str(order)

    @classmethod
    @policy
    def open(cls, name: str) -> "Shop":
        """A class method."""
        return cls()

    @staticmethod
    @policy
    async def close(name: str) -> None:
        """An async static method."""


async def check() -> None:
    """Each line is a claim of the public types."""
    assert_type(bare(1, note="x"), list[str])
    assert_type(await bare_later(1), str)
    assert_type(called(1), float)
    assert_type(await called_later(1, "a"), bytes)
    assert_type(items(1), Generator[int, str, bytes])
    assert_type(Shop().sell(1), bool)
    assert_type(await Shop().later(1), str)
    assert_type(Shop.open("x"), Shop)
    await Shop.close("x")
    assert_type(policy.call(len, "abc"), int)
    assert_type(await policy.call(bare_later, 1), str)
    assert_type(policy.try_call(len, "abc"), seawall.Outcome[int])
    assert_type(await policy.try_call(bare_later, 1), seawall.Outcome[str])
    assert_type(seawall.retry("typed-name"), seawall.Retry)
    assert_type(seawall.retry(attempts=2), seawall.Retry)
    assert_type(policy.snapshot().in_flight, int)

    bare("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - an int is asked for
    policy.call(len, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - nor is 1 sized
    seawall.Retry(attempts="three")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a number
    seawall.retry(tries=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue] - no such setting
    policy.reconfigure(nested="never")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - not a word
