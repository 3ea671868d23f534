"""What a call costs that succeeds, by the way it is made."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from benches.python.functions import Decorator, MakeDecorator, always, failing, nothing, one
from benches.python.harness import AGAIN, BARE, Race, Setup
from benches.python.ours import pipeline

from . import names, ours
from .fit import baselines, succeeding
from .peers import PEERS, Peer

SUCCESS = "sync success"
KEYWORD = "sync success, keyword"
MIXED = "sync success, mixed arguments"
METHOD = "sync success, method"
AMONG_FAILURES = "sync success, among failures"
BLOCK = "sync block"
CALL = "sync call"

Entries = Mapping[str, Callable[[], Setup]]

CALLS_BETWEEN_FAILURES = 64
FAIL_ONCE = "try:\n    g(x)\nexcept ValueError:\n    pass"


def three(a: object, b: object, c: object = 3) -> object:
    """Positional, positional, keyword."""
    return a or b or c


def method(self: object, x: object) -> object:  # noqa: ARG001 - a method has it
    """A method's body."""
    return x


def decorated(function: Callable[..., object], body: str) -> Entries:
    """The bare function and all decorators around it, called by ``body``."""

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup(body, f=make()(function))

    return {name: entry(make) for name, make in ({BARE: always(nothing)} | succeeding()).items()}


def methods() -> Entries:
    """As ``decorated``, each on a class of its own: descriptors and bound calls count."""

    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup("o.m(x)", o=type("Service", (), {"m": make()(method)})())

    chosen = {name: make for name, make in succeeding().items() if name != names.PARTIAL}
    return {name: entry(make) for name, make in ({BARE: always(nothing)} | chosen).items()}


def among_failures() -> Entries:
    """Successes while one call in 65 fails, untimed, so that the window is never clean.

    The failures of the clean contender pass the breaker by: only its window differs.
    """

    def entry(make: MakeDecorator, *, clean: bool = False) -> Callable[[], Setup]:
        def setup() -> Setup:
            decorate: Decorator = make()
            fails = (pipeline() if clean else decorate)(failing)
            return Setup(f=decorate(one), g=fails, prelude=FAIL_ONCE, unroll=CALLS_BETWEEN_FAILURES)

        return setup

    return {
        BARE: entry(always(nothing)),
        **{name: entry(make) for name, make in baselines().items()},
        names.FLOOR: entry(pipeline),
        names.COUNT: entry(ours.count_window, clean=True),
        names.DIRTY: entry(ours.count_window),
        names.CONSECUTIVE: entry(ours.consecutive),
        names.TIME: entry(ours.time_window),
        names.SLOW: entry(ours.slow_calls),
    }


def blocks() -> Entries:
    """``with``: the call inside is bare, entering and leaving is what is added."""

    def entry(make: Callable[[], Any]) -> Callable[[], Setup]:
        return lambda: Setup("with o:\n    f(x)", f=one, o=make())

    return {
        BARE: lambda: Setup(f=one),
        AGAIN: lambda: Setup(f=one),
        names.LOCK: entry(threading.Lock),
        names.COUNT: entry(ours.count_window),
        names.TIME: entry(ours.time_window),
        **{peer.name: entry(peer.block) for peer in PEERS if peer.block is not None},
    }


def calls() -> Entries:
    """An undecorated function handed to the breaker."""

    def theirs(peer: Peer) -> Callable[[], Setup]:
        return lambda: Setup(f"o.{peer.call}(f, x)", f=one, o=peer.maker()("bench"))

    return {
        BARE: lambda: Setup(f=one),
        AGAIN: lambda: Setup(f=one),
        names.CALL: lambda: Setup("o.call(f, x)", f=one, o=ours.count_window()),
        names.TRY_CALL: lambda: Setup("o.try_call(f, x)", f=one, o=ours.count_window()),
        **{peer.name: theirs(peer) for peer in PEERS if peer.call},
    }


RACES = [
    Race(SUCCESS, "A decorated function succeeds.", decorated(one, "f(x)")),
    Race(KEYWORD, "The argument is passed by keyword.", decorated(one, "f(x=x)")),
    Race(MIXED, "Positional and keyword arguments.", decorated(three, "f(x, 2, c=3)")),
    Race(METHOD, "A decorated method, called on its object.", methods()),
    Race(
        AMONG_FAILURES,
        "One call in 65 fails, untimed; the successes between the failures are timed.",
        among_failures(),
    ),
    Race(BLOCK, "A block around a bare call.", blocks()),
    Race(CALL, "`breaker.call(f, x)` and its like; looking the method up counts.", calls()),
]
