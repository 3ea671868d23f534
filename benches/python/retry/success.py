"""What a call costs that goes well at once."""

from collections.abc import Callable, Mapping

from benches.python.functions import MakeDecorator, always, nothing, one, one_async
from benches.python.harness import AGAIN, BARE, Function, Race, Setup
from benches.python.hosts import on_asyncio
from benches.python.ours import pipeline

from . import ours
from .peers import PEERS

SYNC = "retry, sync success"
ASYNC = "retry, async success"
GUARDED = "retry, sync success, one of two"
GUARDED_ASYNC = "retry, async success, one of two"
BUDGETED = "retry, sync success, budget"
BUDGETED_ASYNC = "retry, async success, budget"

Entries = Mapping[str, Callable[[], Setup]]
BARES: dict[str, MakeDecorator] = {BARE: always(nothing), AGAIN: always(nothing)}
FLOORS: dict[str, MakeDecorator] = {
    ours.FLOOR: pipeline,
    ours.COUNT: ours.count_window,
    ours.TIME: ours.time_window,
}


def entries(made: Mapping[str, MakeDecorator], function: Function, body: str) -> Entries:
    """The function under each of the decorators, called by ``body``."""

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup(body, f=make()(function))

    return {name: entry(make) for name, make in made.items()}


def _both(key: str, about: str, made: dict[str, MakeDecorator], *, asynchronous: bool) -> Race:
    function: Function = one_async if asynchronous else one
    body = "await f(x)" if asynchronous else "f(x)"
    peers = {
        peer.name: make
        for peer in PEERS
        if (make := peer.asynchronous if asynchronous else peer.sync) is not None
    }
    everybody = BARES | FLOORS | made | (peers if key in (SYNC, ASYNC) else {})
    # Some peers ask for the running loop even where nothing waits.
    host = on_asyncio if asynchronous else None
    return Race(key, about, entries(everybody, function, body), asynchronous, host)


def _guarded(key: str, *, asynchronous: bool) -> Race:
    """Two retries in one process: either could be inside the other."""
    about = "As before, with a second retry in the process, that could be inside of this one."
    made: dict[str, MakeDecorator] = {
        ours.GUARDED: ours.retry,
        "seawall retry, the other of two": ours.retry,
    }
    return _both(key, about, made, asynchronous=asynchronous)


RETRY: dict[str, MakeDecorator] = {ours.RETRY: ours.retry}
BUDGET: dict[str, MakeDecorator] = {ours.BUDGETED: ours.budgeted}

RACES = [
    _both(SYNC, "The first attempt succeeds.", RETRY, asynchronous=False),
    _guarded(GUARDED, asynchronous=False),
    _both(BUDGETED, "The same with a retry budget.", BUDGET, asynchronous=False),
    _both(ASYNC, "It returns without suspending.", RETRY, asynchronous=True),
    _guarded(GUARDED_ASYNC, asynchronous=True),
    _both(BUDGETED_ASYNC, "The same with a retry budget.", BUDGET, asynchronous=True),
]
