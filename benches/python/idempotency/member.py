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
from .orders import Calls, Order, fresh

#: Orders that are replayed in turns, and calls between two looks at the clock.
REPLAYED = 64
CHUNK = 16


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
        for what in ("pair", "replay"):
            self.spend(what, 0.01)

    def _completed(self) -> Order:
        order, calls = fresh(), self._calls
        if self._runner is not None and calls.prepare is None:
            self._runner.run(_awaited(calls.pair(order)))
        else:
            (calls.prepare or calls.pair)(order)
        return order

    def spend(self, what: str, seconds: float) -> list[int]:
        """Calls for so long."""
        gc.collect()
        gc.disable()
        try:
            if self._runner is None:
                return _spend(self._calls, what, self._replayed, seconds)
            return self._runner.run(_spend_tasks(self._calls, what, self._replayed, seconds))
        finally:
            gc.enable()


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


def _spend(calls: Calls, what: str, kept: Any, seconds: float) -> list[int]:
    call: Any = calls.pair if what == "pair" else calls.replay
    order = fresh if what == "pair" else kept.__next__
    done, least = 0, int(seconds * 1e9)
    burnt, begun = time.process_time_ns(), time.perf_counter_ns()
    while (took := time.perf_counter_ns() - begun) < least:
        for _ in range(CHUNK):
            call(order())
        done += CHUNK
    return [done, took, time.process_time_ns() - burnt]


async def _spend_tasks(calls: Calls, what: str, kept: Any, seconds: float) -> list[int]:
    call: Any = calls.pair if what == "pair" else calls.replay
    order = fresh if what == "pair" else kept.__next__
    done, least = 0, int(seconds * 1e9)
    burnt, begun = time.process_time_ns(), time.perf_counter_ns()
    while (took := time.perf_counter_ns() - begun) < least:
        for _ in range(CHUNK):
            await call(order())
        done += CHUNK
    return [done, took, time.process_time_ns() - burnt]


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
