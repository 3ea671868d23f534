"""One process of a crew: ``python -m benches.python.idempotency.member BACKEND ROW URL``.

It reads what to do, a line each (``pair 0.025``), and answers with a line of what it did: how many
calls, in how many nanoseconds, with how many of the processor's. All of its threads count there.
"""

import asyncio
import gc
import json
import sys
import time
import warnings
from itertools import cycle
from typing import Any

from .backends import BACKENDS, TASKS
from .orders import Order, fresh

#: Orders that are replayed in turns, and turns before the first that counts.
REPLAYED = 64
WARMING = 3


class Member:
    """A contender in this process."""

    def __init__(self, backend: str, row: str, url: str) -> None:
        """Ready, and warm."""
        contender, way = BACKENDS[backend].lanes()[row]
        made = BACKENDS[backend].contenders[contender]
        self._runner = asyncio.Runner() if way == TASKS else None
        if self._runner is None:
            assert made.sync is not None
            self._calls = made.sync(url)
        else:
            assert made.tasks is not None
            self._calls = self._runner.run(_awaited(made.tasks(url)))
        self._kept = [self._completed() for _ in range(REPLAYED)]
        self._replayed = cycle(self._kept)
        #: Nanoseconds a call, of the last turn.
        self._took = {"pair": 1e6, "replay": 1e6}
        for _ in range(WARMING):
            for what in self._took:
                self.spend(what, 0.01)

    def _completed(self) -> Order:
        order, calls = fresh(), self._calls
        if self._runner is not None and calls.prepare is None:
            self._runner.run(_awaited(calls.pair(order)))
        else:
            (calls.prepare or calls.pair)(order)
        return order

    def spend(self, what: str, seconds: float) -> list[int]:
        """Calls for about so long; how often, and in how many nanoseconds."""
        count = max(1, int(seconds * 1e9 / self._took[what]))
        orders = [fresh() if what == "pair" else next(self._replayed) for _ in range(count)]
        call = self._calls.pair if what == "pair" else self._calls.replay
        gc.collect()
        gc.disable()
        try:
            if self._runner is None:
                took, burnt = _spend(call, orders)
            else:
                took, burnt = self._runner.run(_spend_tasks(call, orders))
        finally:
            gc.enable()
        self._took[what] = took / count
        return [count, took, burnt]


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def _spend(call: Any, orders: list[Order]) -> tuple[int, int]:
    burnt, begun = time.process_time_ns(), time.perf_counter_ns()
    for order in orders:
        call(order)
    return time.perf_counter_ns() - begun, time.process_time_ns() - burnt


async def _spend_tasks(call: Any, orders: list[Order]) -> tuple[int, int]:
    burnt, begun = time.process_time_ns(), time.perf_counter_ns()
    for order in orders:
        await call(order)
    return time.perf_counter_ns() - begun, time.process_time_ns() - burnt


def main() -> None:
    """Does as it is told until nobody tells it anything."""
    warnings.simplefilter("ignore")
    member = Member(*sys.argv[1:4])
    print("ready", flush=True)
    for line in sys.stdin:
        what, seconds = line.split()
        print(json.dumps(member.spend(what, float(seconds))), flush=True)


if __name__ == "__main__":
    main()
