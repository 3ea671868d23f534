"""What an item of a generator costs: sync and async, and a generator of three items as a whole."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from benches.python.functions import MakeDecorator, always, nothing
from benches.python.harness import AGAIN, BARE, Race, Setup

from . import names, ours
from .peers import PEERS

ITEM = "generator, an item"
WHOLE = "generator, three items"
ITEM_ASYNC = "async generator, an item"
WHOLE_ASYNC = "async generator, three items"

Entries = Mapping[str, Callable[[], Setup]]

#: Items taken, timed, from each generator that is made, untimed.
TAKEN = 100
MANY = 1_000_000


def simple(most: int) -> Iterator[int]:
    """The generator that everything is measured against."""
    number = 0
    while number < most:
        yield number
        number += 1


async def simple_async(most: int) -> AsyncIterator[int]:
    """The same for an async generator, which never waits."""
    number = 0
    while number < most:
        yield number
        number += 1


def _made(peers: Mapping[str, MakeDecorator]) -> dict[str, MakeDecorator]:
    seawall = {name: make for name, make in ours.plain().items() if name != names.SHARED}
    return {BARE: always(nothing), AGAIN: always(nothing)} | seawall | dict(peers)


def sync_items(body: str, most: int, prelude: str, unroll: int) -> Entries:
    """Each contender around the generator function."""
    peers = {peer.name: peer.closed for peer in PEERS if peer.closed is not None}

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup(body, f=make()(simple), x=most, prelude=prelude, unroll=unroll)

    return {name: entry(make) for name, make in _made(peers).items()}


def async_items(body: str, most: int, prelude: str, unroll: int) -> Entries:
    """Each contender around the async generator function."""
    peers = {peer.name: peer.closed_async for peer in PEERS if peer.closed_async is not None}

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup(body, f=make()(simple_async), x=most, prelude=prelude, unroll=unroll)

    return {name: entry(make) for name, make in _made(peers).items()}


RACES = [
    Race(
        ITEM,
        "One more item of a generator that is under way; peers that show no cost don't protect it.",
        sync_items("for _ in i:\n    break", MANY, "i = f(x)\nnext(i)", TAKEN),
    ),
    Race(
        WHOLE,
        "A generator is made, gives three items and ends.",
        sync_items("for _ in f(x):\n    pass", 3, "", 10),
    ),
    Race(
        ITEM_ASYNC,
        "One more item of an async generator that is under way and never waits.",
        async_items("async for _ in i:\n    break", MANY, "i = f(x)\nawait anext(i)", TAKEN),
        asynchronous=True,
    ),
    Race(
        WHOLE_ASYNC,
        "An async generator is made, gives three items and ends.",
        async_items("async for _ in f(x):\n    pass", 3, "", 10),
        asynchronous=True,
    ),
]
