"""What the type checkers see of idempotent functions and blocks. Checked, never run."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, assert_type

import seawall

store = seawall.open_store("memory://")


def by_order(order: int, *, note: str = "") -> int:
    """A key."""
    return order + len(note)


@seawall.idempotent(store=store, key=by_order, name="place", ttl=timedelta(days=1))
def place(order: int, *, note: str = "") -> str:
    """A plain function."""
    return f"{order}{note}"


@seawall.idempotent(
    store=store,
    lease=30,
    max_lease=600,
    attempts=5,
    on_conflict="refuse",
    on_lost="quarantine",
    on_error="store",
    safe_errors=ValueError,
    store_errors=(KeyError, OSError),
    on_store_error="run",
    fingerprint=False,
    default=None,
)
async def charge(order: int) -> str:
    """A coroutine function."""
    return str(order)


class Shop:
    """Has methods."""

    @seawall.idempotent(store=store, at_most_once=True)
    def place(self, order: int) -> str:
        """A method."""
        return str(order)

    @classmethod
    @seawall.idempotent(store=store)
    def of_class(cls, order: int) -> str:
        """A class method."""
        return str(order)


def heard(event: seawall.IdempotencyEvent) -> None:
    """A listener."""
    if isinstance(event, seawall.IdempotencyOwned):
        assert_type(event.fence, int)
    if isinstance(event, seawall.IdempotencyConflict):
        assert_type(event.retry_after, float)


assert_type(place(1, note="x"), str)
assert_type(Shop().place(1), str)
assert_type(Shop.of_class(1), str)
coroutine: Callable[[int], Coroutine[Any, Any, str]] = charge


@seawall.idempotent(transaction="session", on_conflict="refuse", ttl=60)
def refund(session: object, order: int) -> str:
    """In a transaction of the caller's."""
    return f"{session}{order}"


async def main() -> None:
    """Calls and blocks."""
    assert_type(await charge(1), str)
    async with seawall.idempotency_key("k", store=store, payload=b"body", on_event=heard) as claim:
        assert_type(claim, seawall.Claim)
        assert_type(claim.fence, int)
        assert_type(claim.derived_key("step"), str)
        claim.complete({"a": 1})
    with seawall.idempotency_key(("a", 1), store=store, result_type=dict[str, int]) as claim:
        assert_type(claim.replayed, bool)
    async with seawall.idempotency_key("k", transaction=object(), wait=1, payload=1) as claim:
        assert_type(claim, seawall.Claim)
    assert_type(refund(object(), 1), str)
    current = seawall.current_claim()
    assert_type(current, seawall.Claim | None)


def wrong(error: seawall.OperationInProgressError) -> None:
    """What is refused."""
    place("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    place(1, 2)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    seawall.idempotent()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    seawall.idempotent(store=store, on_lost="lost")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    seawall.idempotent(transaction="c", lease=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    seawall.idempotency_key(store=store)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    seawall.idempotency_key("k")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    seawall.idempotency_key("k", transaction=1, at_most_once=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    rejected: seawall.Rejected = error
    assert_type(rejected.retry_after, float | None)
