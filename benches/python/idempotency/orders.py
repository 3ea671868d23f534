"""The function that all make idempotent, and what a contender is."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from os import getpid
from typing import Any

Order = dict[str, Any]
Call = Callable[[Order], Any]
AsyncCall = Callable[[Order], Awaitable[Any]]

#: Terms that all have.
DAY = 86_400
LEASE = 30
ATTEMPTS = 3

_numbers = count()


def fresh() -> Order:
    """An order that nobody has seen yet."""
    return {"id": f"order-{getpid()}-{next(_numbers):08}", "amount": 4200, "currency": "EUR"}


def charge(order: Order) -> Any:
    """What takes effect once."""
    return {"order": order["id"], "charged": order["amount"]}


async def charge_async(order: Order) -> Any:
    """As a coroutine, which never suspends."""
    return {"order": order["id"], "charged": order["amount"]}


def digest(order: Order) -> bytes:
    """The fingerprint of an order, by hand."""
    return blake2b(json.dumps(order, sort_keys=True).encode(), digest_size=32).digest()


class LostError(Exception):
    """Raised by clients by hand: somebody else has it."""


@dataclass(frozen=True, slots=True)
class Calls:
    """A claim with its completion; and a replay, by one that did not complete it itself."""

    pair: Call | AsyncCall
    replay: Call | AsyncCall
    #: Completes what is replayed, where `pair` does not. Never a coroutine function.
    prepare: Call | None = None
    #: Closes what is open; awaited, if there is something to await.
    close: Callable[[], Any] = list


#: Given a URL. In an event loop if it is one of coroutine functions.
Make = Callable[[str], Calls]


@dataclass(frozen=True, slots=True)
class Contender:
    """One of a race, in threads and in tasks."""

    sync: Make | None = None
    tasks: Callable[[str], Awaitable[Calls]] | None = None
