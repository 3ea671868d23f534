"""What a call costs that finds a permit, and one that is refused."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from benches.python.functions import MakeDecorator, always, failing, nothing, one, one_async
from benches.python.harness import AGAIN, BARE, Function, Race, Setup
from benches.python.hosts import on_asyncio
from benches.python.ours import pipeline

from . import ours, peers

SYNC = "bulkhead, sync success"
ASYNC = "bulkhead, async success"
BLOCK = "bulkhead, sync block"
BLOCK_ASYNC = "bulkhead, async block"
REJECTION = "bulkhead, sync rejection"

CATCH = "try:\n    f(x)\nexcept Exception:\n    pass"

Entries = dict[str, Callable[[], Setup]]

OURS: dict[str, MakeDecorator] = {
    BARE: always(nothing),
    AGAIN: always(nothing),
    ours.FLOOR: pipeline,
    ours.BREAKER: ours.breaker,
    ours.OURS: ours.bulkhead,
    ours.QUEUED: ours.queued,
    ours.KEYED: ours.keyed,
    ours.FUSED: lambda: pipeline(ours.breaker(), ours.bulkhead()),
}
SYNC_PEERS: dict[str, MakeDecorator] = {
    ours.SEMAPHORE: peers.by_semaphore,
    "pyresilience": peers.pyresilience,
}
ASYNC_PEERS: dict[str, MakeDecorator] = {
    ours.ASYNC_SEMAPHORE: peers.by_async_semaphore,
    "hyx": peers.hyx,
    "pyresilience": peers.pyresilience,
}


def _decorated(made: Mapping[str, MakeDecorator], function: Function, body: str) -> Entries:
    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup(body, f=make()(function))

    return {name: entry(make) for name, make in made.items()}


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


def rejections() -> Entries:
    """The only permit is out; bare is a function that raises."""
    made: dict[str, MakeDecorator] = {
        ours.OURS: ours.full,
        ours.SEMAPHORE: peers.refusing,
        "pyresilience": _full_pyresilience,
    }
    entries: Entries = {
        BARE: lambda: Setup(CATCH, f=failing),
        AGAIN: lambda: Setup(CATCH, f=failing),
        ours.TRY_CALL: lambda: Setup("o.try_call(f, x)", f=one, o=ours.full()),
    }
    return entries | _decorated(made, one, CATCH)


def _full_pyresilience() -> Any:
    """Another function holds the only permit, in a thread that is never done with it."""
    decorate = peers.pyresilience(1)
    inside = threading.Event()

    def both(function: Function) -> Function:
        def either(x: object) -> object:
            if x is not None:
                return function(x)
            inside.set()
            return threading.Event().wait()

        protected = decorate(either)
        threading.Thread(target=protected, args=(None,), daemon=True).start()
        inside.wait()
        return protected

    return both


_BLOCKS: dict[str, Callable[[], Any]] = {
    ours.LOCK: threading.Lock,
    ours.SEMAPHORE: lambda: threading.Semaphore(ours.PERMITS),
    ours.BOUNDED: lambda: threading.BoundedSemaphore(ours.PERMITS),
    ours.BREAKER: ours.breaker,
    ours.OURS: ours.bulkhead,
    ours.QUEUED: ours.queued,
}
_BLOCKS_ASYNC: dict[str, Callable[[], Any]] = {
    ours.ASYNC_LOCK: asyncio.Lock,
    ours.ASYNC_SEMAPHORE: lambda: asyncio.Semaphore(ours.PERMITS),
    "hyx": peers.hyx,
    ours.BREAKER: ours.breaker,
    ours.OURS: ours.bulkhead,
    ours.QUEUED: ours.queued,
}

RACES = [
    Race(SYNC, "A permit is free.", _decorated(OURS | SYNC_PEERS, one, "f(x)")),
    Race(
        ASYNC,
        "A permit is free, and it returns without suspending.",
        _decorated(OURS | ASYNC_PEERS, one_async, "await f(x)"),
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
        "The only permit is out. Bare raises and catches; `try_call` hands back an `Outcome`.",
        rejections(),
    ),
]
