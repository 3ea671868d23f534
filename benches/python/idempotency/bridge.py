"""What it costs to wait for a store's answer: in a thread, in a task, in another thread's task."""

import asyncio
from collections.abc import Callable
from typing import Any

from benches.python.ours import package

from .orders import Calls, Contender, Order

THREAD = "seawall, a thread"
TASK = "seawall, a task"
TO_THREAD = "a task, by asyncio.to_thread"


def thread(url: str) -> Calls:
    """It blocks."""
    get = package().open_store(url).get

    def once(order: Order) -> Any:
        return get(order["id"])

    return Calls(once, once)


def _task(ask: Callable[[Any], Callable[[str], Any]]) -> Any:
    async def made(url: str) -> Calls:
        get = ask(package().open_store(url))

        async def once(order: Order) -> Any:
            return await get(order["id"])

        return Calls(once, once, prepare=lambda order: None)

    return made


def _to_thread(store: Any) -> Callable[[str], Any]:
    return lambda key: asyncio.to_thread(store.get, key)


CONTENDERS = {
    THREAD: Contender(thread),
    TASK: Contender(tasks=_task(lambda store: store.aget)),
    TO_THREAD: Contender(tasks=_task(_to_thread)),
}
