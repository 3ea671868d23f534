"""What type checkers know of stores."""

from typing import assert_type

import seawall

store = seawall.open_store("memory://", namespace="shop", timeout=5)
assert_type(store, seawall.Store)
assert_type(store.get(("order", 1), scope="pay"), seawall.Record | None)
assert_type(store.stats(), seawall.StoreStats)
assert_type(store.stats().by_state["completed"], int)
assert_type(store.gc(), int)
assert_type(store.counted, seawall.StoreCounts)


async def asked() -> None:
    """The twins for tasks."""
    assert_type(await store.aget("a"), seawall.Record | None)
    assert_type(await store.astats(), seawall.StoreStats)
    assert_type(await store.agc(), int)
    async with store as same:
        assert_type(same, seawall.Store)
    async for record in store.alist(state="dead"):
        assert_type(record, seawall.Record)


with store as itself:
    assert_type(itself, seawall.Store)
for each in store.list(state="quarantined"):
    assert_type(each, seawall.Record)
    each.state = "dead"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
store.list(state="done")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
seawall.open_store("memory://", "shop")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
store.get("a", "pay")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
