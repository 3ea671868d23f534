"""What the type checkers see of keys. Checked, never run."""

from collections.abc import Hashable
from typing import assert_type

import seawall
from seawall.policies.breaker import BreakerState


def shard(order: int, *, urgent: bool = False) -> int:
    """Takes what the function takes."""
    return order % 4


by_callable = seawall.CircuitBreaker("typed-shards", key=shard, max_keys=4, key_idle=60)
by_name = seawall.CircuitBreaker("typed-hosts", key="host")


@by_callable
def store(order: int, *, urgent: bool = False) -> list[int]:
    """Protected by a breaker whose key is a callable."""
    return [order]


@seawall.circuit_breaker("typed-tenants", key="tenant", failure_threshold=3)
async def fetch(tenant: str, path: str = "/") -> bytes:
    """Protected by one whose key is a name."""
    return (tenant + path).encode()


class Client:
    """Methods count their own arguments."""

    @by_name
    def get(self, host: str, *, depth: int = 0) -> float:
        """By name, so that ``self`` is no matter."""
        return depth / len(host)


async def check() -> None:
    """Each line is a claim of the public types."""
    assert_type(store(1, urgent=True), list[int])
    assert_type(await fetch("a"), bytes)
    assert_type(Client().get("a", depth=1), float)
    with by_name.block(key="a") as block:
        assert_type(block.call(len, "abc"), int)
        assert_type(block.try_call(len, "abc"), seawall.Outcome[int])
    async with by_callable.block(key=3), seawall.Pipeline("typed-keys", by_name).block(key=None):
        assert_type(await by_name.block(key=("a", 1)).call(fetch, "a"), bytes)
    assert_type(by_name.keys, list[Hashable])
    assert_type(by_name.snapshot().state, BreakerState)
    assert_type(by_name.snapshot(key="a"), seawall.BreakerSnapshot)
    assert_type(by_name.snapshot(key=None).key, object)
    by_name.force_open(key="a")
    by_name.reset(key=None)
    by_name.metrics_only(key=seawall.OTHER_KEYS)
    by_name.disable()

    store("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - an int is asked for
    by_name.block()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - which block?
    by_name.block(key=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - not hashable
    by_name.reset(key={})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - nor is this
    seawall.CircuitBreaker(key=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a callable or a name
