"""What the type checkers see of fallbacks. Checked, never run."""

from collections.abc import Generator
from datetime import timedelta
from typing import assert_type

import seawall

policy = seawall.Fallback(None, name="typed", on=(OSError, ValueError), stale=timedelta(minutes=5))


def cached(error: Exception, order: int) -> float:
    """A provider."""
    return 0.0


@seawall.fallback(0.0)
def value(order: int, *, note: str = "") -> float:
    """Answered for by a value."""
    return order / 2


async def elsewhere(error: Exception, order: int) -> float:
    """A provider that is awaited."""
    return 1.0


@seawall.fallback(cached, elsewhere, 2.0, name="typed-chain", on=seawall.Rejected)
async def chain(order: int) -> float:
    """Answered for by a chain."""
    return order / 2


@seawall.fallback(stale=300, key="order", max_keys=5, ignore=KeyError)
def remembered(order: int) -> str:
    """Answered for from memory."""
    return str(order)


@seawall.fallback((), on=lambda error: "down" in str(error))
def items(order: int) -> Generator[int, str, bytes]:
    """A generator function."""
    yield len((yield order))
    return b""


class Shop:
    """Methods."""

    @policy
    def sell(self, order: int) -> bool:
        """An ordinary one."""
        return order > 0

    @classmethod
    @policy
    def open(cls, name: str) -> "Shop":
        """A class method."""
        return cls()


async def calls() -> None:
    """What calls give."""
    assert_type(value(1, note="x"), float)
    assert_type(await chain(1), float)
    assert_type(remembered(order=1), str)
    assert_type(items(1), Generator[int, str, bytes])
    assert_type(Shop().sell(1), bool)
    assert_type(Shop.open("here"), Shop)
    assert_type(policy.call(value, 1), float)
    assert_type(policy.try_call(value, 1), seawall.Outcome[float])
    assert_type(policy.try_call(value, 1).stale, bool)
    assert_type(policy.snapshot(), seawall.FallbackSnapshot)
    assert_type(policy.snapshot().remembered, int)
    policy.reconfigure(providers=(1, 2), stale=5, on=None)
    policy.forget()
    value("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    seawall.Fallback(1, on=KeyboardInterrupt)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    seawall.Fallback(1, wrong=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    policy.reconfigure(name="other")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def heard(event: seawall.FallbackEvent) -> None:
    """What events say."""
    assert_type(event.error, BaseException | None)
    if isinstance(event, seawall.FallbackUsed):
        assert_type(event.provider, int)
    if isinstance(event, seawall.FallbackStale):
        assert_type(event.age, float)
    if isinstance(event, seawall.FallbackFailed):
        assert_type(event.failures, tuple[BaseException, ...])


seawall.subscribe(heard, kinds=["fallback"])
