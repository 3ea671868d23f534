"""The peers, each used as its own documentation shows, with its cheapest ordinary settings.

Memory storage, no listeners, thresholds that no scenario reaches. pybreaker's asynchronous face
needs Tornado and counts nothing under asyncio, aiobreaker is made for asyncio: neither is raced
where it has nothing to show. circuitbreaker's ``call`` and ``with`` never reject, so ``call`` is
not raced for it. Nor is purgatory's ``get_breaker`` inside the ``with`` race: its decorator does
that, a block that is kept does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from itertools import count
from typing import Any

from benches.python.functions import Decorator
from benches.python.harness import Function, drive

NEVER = 1 << 30
HOUR = 3600
_serial = count()


@dataclass(frozen=True, slots=True)
class Peer:
    """One library. Every factory makes a breaker of its own; None: it has no such thing.

    ``closed`` and ``opened`` make decorators for functions, those of ``_async`` for coroutine
    functions; ``block`` a context manager; ``maker`` a factory of many breakers, of which
    ``use`` puts one call through one; ``call`` is the method that runs a function once.
    """

    name: str
    distribution: str
    module: str
    maker: Callable[[], Callable[[str], Any]]
    use: Callable[[Any, Function, object], object]
    closed: Callable[[], Decorator] | None = None
    opened: Callable[[], Decorator] | None = None
    closed_async: Callable[[], Decorator] | None = None
    opened_async: Callable[[], Decorator] | None = None
    block: Callable[[], Any] | None = None
    block_async: Callable[[], Any] | None = None
    call: str = ""
    between: Callable[[], None] | None = None


def _fail(x: object) -> None:
    raise ValueError(x)


async def _fail_async(x: object) -> None:
    raise ValueError(x)


def _caught(decorated: Function) -> Exception | None:
    """Calls once, driving what is a coroutine, and hands back what that raised."""
    try:
        result = decorated(1)
        if hasattr(result, "send"):
            drive(result)
    except Exception as error:
        return error
    return None


def _tripped(breaker: Any, failing: Function = _fail) -> Any:
    """``breaker``, after the one failure that opens it."""
    _caught(breaker(failing))
    return breaker


def _use_call(breaker: Any, function: Function, x: object) -> object:
    return breaker.call(function, x)


# pybreaker: failures in a row, a lock around every call


def _pybreaker(fail_max: int = NEVER) -> Any:
    return import_module("pybreaker").CircuitBreaker(fail_max=fail_max, reset_timeout=HOUR)


# circuitbreaker: failures in a row


def _circuitbreaker(threshold: int = NEVER) -> Any:
    return import_module("circuitbreaker").CircuitBreaker(
        failure_threshold=threshold, recovery_timeout=HOUR, name=f"bench-{next(_serial)}"
    )


# aiobreaker: failures in a row, asyncio


def _aiobreaker(fail_max: int = NEVER) -> Any:
    hour = timedelta(seconds=HOUR)
    return import_module("aiobreaker").CircuitBreaker(fail_max=fail_max, timeout_duration=hour)


# purgatory: failures in a row, a factory with a unit of work and a message bus

_raised: list[Exception | None] = []


def _purgatory(kind: str, threshold: int = NEVER) -> Any:
    factory = getattr(import_module("purgatory"), f"{kind}CircuitBreakerFactory")
    return factory(default_threshold=threshold, default_ttl=HOUR)


def _purgatory_opened(kind: str, failing: Function) -> Decorator:
    decorate: Decorator = _tripped(_purgatory(kind, 1)("bench"), failing)
    _raised.append(_caught(decorate(failing)))
    return decorate


def _purgatory_between() -> None:
    """It raises one exception object for ever, whose traceback grows: cut that off."""
    for error in _raised:
        if error is not None:
            error.__traceback__ = None


def _purgatory_maker() -> Callable[[str], Any]:
    make: Callable[[str], Any] = _purgatory("Sync").get_breaker
    return make


def _purgatory_use(breaker: Any, function: Function, x: object) -> object:
    with breaker:
        return function(x)


# interlock-cb: rates over a window of 100 calls, sync and async


def _interlock(minimum: int = 100) -> Any:
    interlock = import_module("interlock")
    config = interlock.Config(
        failure_rate_threshold=1.0,
        minimum_number_of_calls=minimum,
        window_size=100,
        wait_duration_in_open=HOUR,
    )
    return interlock.CircuitBreaker(name=f"bench-{next(_serial)}", config=config)


PEERS = (
    Peer(
        "pybreaker",
        "pybreaker",
        "pybreaker",
        maker=lambda: lambda _: _pybreaker(),
        use=_use_call,
        closed=_pybreaker,
        opened=lambda: _tripped(_pybreaker(1)),
        call="call",
    ),
    Peer(
        "circuitbreaker",
        "circuitbreaker",
        "circuitbreaker",
        maker=lambda: lambda _: _circuitbreaker(),
        use=_use_call,
        closed=_circuitbreaker,
        opened=lambda: _tripped(_circuitbreaker(1)),
        closed_async=_circuitbreaker,
        opened_async=lambda: _tripped(_circuitbreaker(1)),
        block=_circuitbreaker,
    ),
    Peer(
        "aiobreaker",
        "aiobreaker",
        "aiobreaker",
        maker=lambda: lambda _: _aiobreaker(),
        use=_use_call,
        closed_async=_aiobreaker,
        opened_async=lambda: _tripped(_aiobreaker(1), _fail_async),
    ),
    Peer(
        "purgatory",
        "purgatory",
        "purgatory",
        maker=_purgatory_maker,
        use=_purgatory_use,
        closed=lambda: _purgatory("Sync")("bench"),
        opened=lambda: _purgatory_opened("Sync", _fail),
        closed_async=lambda: _purgatory("Async")("bench"),
        opened_async=lambda: _purgatory_opened("Async", _fail_async),
        block=lambda: _purgatory("Sync").get_breaker("bench"),
        block_async=lambda: drive(_purgatory("Async").get_breaker("bench")),
        between=_purgatory_between,
    ),
    Peer(
        "interlock-cb",
        "interlock-cb",
        "interlock",
        maker=lambda: lambda _: _interlock(),
        use=lambda breaker, function, x: breaker.call_sync(function, x),
        closed=_interlock,
        opened=lambda: _tripped(_interlock(1)),
        closed_async=_interlock,
        opened_async=lambda: _tripped(_interlock(1)),
        block=_interlock,
        block_async=_interlock,
        call="call_sync",
    ),
)
