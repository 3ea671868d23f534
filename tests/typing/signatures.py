"""What the type checkers see: a protected function keeps its own signature. Checked, never run."""

from typing import TYPE_CHECKING, assert_type

import seawall
from seawall.policies.breaker import BreakerState
from seawall.policies.budget import BudgetSnapshot

if TYPE_CHECKING:
    pass

breaker = seawall.CircuitBreaker("typed", failure_threshold=3)
budget = seawall.RetryBudget("typed", ratio=0.2, min_per_second=10, ttl=10)


@seawall.circuit_breaker
def bare(order: int, *, note: str = "") -> list[str]:
    """Protected by the bare decorator."""
    return [note] * order


@seawall.circuit_breaker("typed-called", failure_rate=0.5, window=seawall.seconds(60))
async def called(order: int) -> str:
    """Protected by the decorator that was called."""
    return str(order)


@seawall.Pipeline("typed-pipeline", breaker)
def piped(order: int) -> float:
    """Protected by a pipeline."""
    return order / 2


class Shop:
    """Methods of each sort."""

    @breaker
    def sell(self, order: int) -> bool:
        """An ordinary method."""
        return order > 0

    @classmethod
    @breaker
    def open(cls, name: str) -> "Shop":
        """A class method."""
        return cls()


async def check() -> None:
    """Each line is a claim of the public types."""
    assert_type(bare(1, note="x"), list[str])
    assert_type(await called(1), str)
    assert_type(piped(3), float)
    assert_type(Shop().sell(1), bool)
    assert_type(Shop.open("x"), Shop)
    assert_type(breaker.state, BreakerState)
    assert_type(breaker.call(len, "abc"), int)
    assert_type(breaker.try_call(len, "abc"), seawall.Outcome[int])
    assert_type(breaker.try_call(len, "abc").unwrap(), int)
    assert_type(await breaker.try_call(called, 1), seawall.Outcome[str])

    assert_type(budget.snapshot(), BudgetSnapshot)
    assert_type(budget.snapshot().balance, float)

    bare("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - an int is asked for
    breaker.call(len, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - nor is 1 sized
    seawall.CircuitBreaker(failure_rate="half")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a share
    seawall.RetryBudget(mode="ration")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no such mode
    budget(bare)  # type: ignore[operator]  # pyright: ignore[reportCallIssue] - it is no decorator
    seawall.CircuitBreaker(failures=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - no such setting
