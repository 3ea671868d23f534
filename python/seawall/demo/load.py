"""Users: what they want, and when. They come when they come, whatever became of those before them.

An open loop: a request is sent at its due time even if none of the earlier ones was answered, and
how long it took is counted from then. A closed loop (so many users, each of whom waits before it
asks again) would ask less of a service that is slow, and hide what its users go through.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

__all__ = ["MIX", "PATIENCE", "Route", "Visit", "send", "visits"]

Route: TypeAlias = Literal["cart", "checkout", "product"]

#: Requests a second, by what is asked for.
MIX: Mapping[Route, float] = {"cart": 12.0, "checkout": 30.0, "product": 10.0}

#: After so many seconds a user has left.
PATIENCE = 2.0


class Visit(NamedTuple):
    """A request: when it is due, in seconds since the beginning, and what for."""

    due: float
    number: int
    route: Route


def visits(seconds: float, seed: int, mix: Mapping[Route, float] = MIX) -> Iterator[Visit]:
    """The requests of so many seconds, in order; the same seed has the same.

    The times between them are exponential (a Poisson process), as those of users who don't know of
    one another.
    """
    chance = random.Random(seed)
    rate = sum(mix.values())
    routes: list[Route] = [*mix]
    weights = [*mix.values()]
    due = chance.expovariate(rate)
    number = 0
    while due < seconds:
        yield Visit(due, number, chance.choices(routes, weights)[0])
        due += chance.expovariate(rate)
        number += 1


async def send(
    schedule: Iterator[Visit],
    visit: Callable[[Visit, float], Coroutine[Any, Any, None]],
    *,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Has each request begin at its due time, and waits until all of them are over.

    Args:
        schedule: The requests, in order.
        visit: Makes one; is told how many seconds after its due time it was begun.
        now: Seconds since the beginning.
        sleep: Waits for so many seconds.
    """
    async with asyncio.TaskGroup() as users:
        for one in schedule:
            while (left := one.due - now()) > 0:
                await sleep(left)
            users.create_task(visit(one, -left))
