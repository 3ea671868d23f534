"""What a call costs that comes in time, and one that is refused."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from benches.python.functions import MakeDecorator, always, failing, nothing, one, one_async
from benches.python.harness import AGAIN, BARE, Function, Race, Setup
from benches.python.hosts import on_asyncio
from benches.python.ours import pipeline

from . import ours, peers
from .peers import Peer, Quota

SYNC = "rate limit, sync success"
ASYNC = "rate limit, async success"
BLOCK = "rate limit, sync block"
BLOCK_ASYNC = "rate limit, async block"
REJECTION = "rate limit, sync rejection"

CATCH = "try:\n    f(x)\nexcept Exception:\n    pass"
#: Of the peers some keep an entry for each call that is let in within the time.
IN_REACH = Quota(limit=100_000_000)
USED_UP = Quota(limit=1, seconds=3600)

Entries = dict[str, Callable[[], Setup]]

OURS: dict[str, MakeDecorator] = {
    BARE: always(nothing),
    AGAIN: always(nothing),
    ours.FLOOR: pipeline,
    ours.BREAKER: ours.breaker,
    ours.SLOW: ours.slow,
    ours.OURS: ours.rate_limit,
    ours.QUEUED: ours.queued,
    ours.COST: ours.costly,
    ours.FREE: ours.free,
    ours.CALENDAR: ours.daily,
    ours.KEYED: ours.keyed,
    ours.FUSED: lambda: pipeline(ours.breaker(), ours.rate_limit()),
}


def _entries(made: Mapping[str, MakeDecorator], function: Function, body: str) -> Entries:
    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup(body, f=make()(function))

    return {name: entry(make) for name, make in made.items()}


def _of(given: Mapping[str, Peer]) -> dict[str, MakeDecorator]:
    return {name: partial(peer, IN_REACH) for name, peer in given.items()}


def _used_up(peer: Peer) -> Any:
    def decorate(function: Function) -> Function:
        protected = peer(USED_UP)(function)
        with contextlib.suppress(Exception):
            protected(0)
        return protected

    return decorate


def rejections() -> Entries:
    """The only call of the hour is gone; bare is a function that raises."""
    made: dict[str, MakeDecorator] = {ours.OURS: ours.used_up}
    made |= {name: partial(_used_up, peer) for name, peer in peers.SYNC.items()}
    entries: Entries = {
        BARE: lambda: Setup(CATCH, f=failing),
        AGAIN: lambda: Setup(CATCH, f=failing),
        ours.TRY_CALL: lambda: Setup("o.try_call(f, x)", f=one, o=ours.used_up()),
    }
    return entries | _entries(made, one, CATCH)


def _blocks(
    function: Function, call: str, way: str, made: Mapping[str, Callable[[], Any]]
) -> Entries:
    def entry(make: Callable[[], Any]) -> Callable[[], Setup]:
        return lambda: Setup(f"{way} o:\n    {call}", f=function, o=make())

    bare: Entries = {
        BARE: lambda: Setup(call, f=function),
        AGAIN: lambda: Setup(call, f=function),
    }
    return bare | {name: entry(make) for name, make in made.items()}


def _aiolimiter() -> Any:
    return import_module("aiolimiter").AsyncLimiter(IN_REACH.limit, IN_REACH.seconds)


_BLOCKS: dict[str, Callable[[], Any]] = {
    ours.BREAKER: ours.breaker,
    ours.SLOW: ours.slow,
    ours.OURS: ours.rate_limit,
    "throttled-py, GCRA": lambda: peers.throttled(IN_REACH),
}
_BLOCKS_ASYNC: dict[str, Callable[[], Any]] = {
    ours.BREAKER: ours.breaker,
    ours.SLOW: ours.slow,
    ours.OURS: ours.rate_limit,
    "aiolimiter": _aiolimiter,
    "throttled-py, GCRA": lambda: peers.throttled_async(IN_REACH),
    "hyx": lambda: peers.hyx(IN_REACH),
}

RACES = [
    Race(SYNC, "It comes in time.", _entries(OURS | _of(peers.SYNC), one, "f(x)")),
    Race(
        ASYNC,
        "It comes in time, and returns without suspending.",
        _entries(OURS | _of(peers.ASYNC), one_async, "await f(x)"),
        asynchronous=True,
        host=on_asyncio,
    ),
    Race(BLOCK, "A block around a bare call.", _blocks(one, "f(x)", "with", _BLOCKS)),
    Race(
        BLOCK_ASYNC,
        "A block around a bare await.",
        _blocks(one_async, "await f(x)", "async with", _BLOCKS_ASYNC),
        asynchronous=True,
        host=on_asyncio,
    ),
    Race(
        REJECTION,
        "One an hour, and this one is gone. Bare raises and catches; `try_call` hands back an "
        "`Outcome`.",
        rejections(),
    ),
]
