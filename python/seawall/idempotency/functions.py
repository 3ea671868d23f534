"""Functions that take effect once for each key, however often they are called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from seawall._core import Calls, Ticket
from seawall.errors import ConfigError
from seawall.idempotency.arguments import arguments
from seawall.idempotency.claim import current, leave
from seawall.idempotency.conversation import OWNED, REPLAYED, Run
from seawall.idempotency.drivers import (
    aclaimed,
    aended,
    afinish,
    asettle,
    claimed,
    ended,
    finish,
    let_go,
    settle,
)
from seawall.idempotency.errors import FingerprintMismatchError
from seawall.idempotency.keys import fingerprint, stored
from seawall.idempotency.local import run_of

if TYPE_CHECKING:
    from seawall._core import Kept
    from seawall.idempotency.operation import Operation

__all__ = ["calls", "identified", "is_coroutine_function", "missing", "protected", "refusal"]

#: What is no awaitable, known without a look at its attributes.
PLAIN = frozenset({type(None), bool, int, float, str, bytes, dict, list, tuple, set})

Identify = Callable[[tuple[Any, ...], dict[str, Any]], tuple[bytes, bytes | None]]


def refusal(function: Any) -> str | None:
    """Why a function can't be idempotent; None: it can."""
    if inspect.isclass(function):
        return "is a class: an operation is a function, and its result what can be written down"
    if not callable(function):
        return "can't be called"
    inner = _inner(function)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        return (
            "is a generator function: its items are no result that could be given again; collect "
            "them in a function that returns a list"
        )
    return None


def missing(function: Any, parameter: object) -> str | None:
    """Why no parameter of a function is meant by that; None: one is."""
    try:
        known = parameter in inspect.signature(function).parameters
    except (TypeError, ValueError):
        known = False
    return None if known else "must be the name of a parameter of the function"


def is_coroutine_function(function: Any) -> bool:
    """Whether it is ``async def``, or called as if it was."""
    return inspect.iscoroutinefunction(_inner(function))


def _inner(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or hasattr(function, "__code__"):
        return function
    # An object that is called: what counts is its method.
    return getattr(type(cast("object", function)), "__call__", function)  # noqa: B004  the method itself


def identified(
    function: Callable[..., Any],
    key: Callable[..., Any] | None,
    fingerprint_of: Callable[..., Any] | bool,
    without: tuple[str, ...] = (),
) -> Identify:
    """What says the key and the fingerprint of a call, once, before its body begins.

    Parameters that it is `without` make no difference: what a call is done with, not what it does.
    """
    bound = arguments(function, without=without)
    if key is None and fingerprint_of is True:
        # One digest is both: two calls with one key have the same arguments.
        return bound.key
    digest: Callable[[tuple[Any, ...], dict[str, Any]], bytes | None]
    if callable(fingerprint_of):
        said = fingerprint_of
        digest = lambda args, kwargs: fingerprint(said(*args, **kwargs), "fingerprint")  # noqa: E731
    elif fingerprint_of:
        digest = bound.digest
    else:
        digest = lambda args, kwargs: None  # noqa: ARG005, E731
    if key is None:
        return lambda args, kwargs: (bound.key(args, kwargs)[0], digest(args, kwargs))
    key_of = key
    return lambda args, kwargs: (stored(key_of(*args, **kwargs)), digest(args, kwargs))


def calls(
    function: Callable[..., Any],
    operation: Operation,
    key: Callable[..., Any] | None,
    fingerprint_of: Callable[..., Any] | bool,
) -> Calls:
    """How the calls of a function begin: as `identified` says, natively."""
    made = fingerprint_of if callable(fingerprint_of) else None
    is_compared = made is None and bool(fingerprint_of)
    bound = arguments(function) if key is None or is_compared else None
    return Calls(
        operation,
        current,
        Run.adopted,
        operation.values.packs,
        arguments=bound,
        key=key,
        fingerprint=made,
        is_compared=is_compared,
    )


def remembered(operation: Operation, kept: Kept, key: bytes, digest: bytes | None) -> Any:
    """The result that this process remembers.

    Raises:
        FingerprintMismatchError: It is that of something else.
    """
    if kept.fingerprint != digest:
        operation.tell("mismatched", key)
        raise FingerprintMismatchError(operation.name, operation.show(key))
    if operation.is_heard():
        operation.tell("replayed", key, local=True, failed=False)
    value: Any = operation.decode(kept.codec, kept.data)
    if operation.values.is_immutable(value):
        kept.share(value)
    return value


def protected(
    function: Callable[..., Any], operation: Operation, begun: Calls
) -> Callable[..., Any]:
    """The function, which takes effect once for each key."""
    if is_coroutine_function(function):
        return _task(function, operation, begun.begin)
    return _plain(function, operation, begun.begin)


Begin = Callable[[tuple[Any, ...], dict[str, Any], list[Any]], Any]


def _plain(function: Callable[..., Any], operation: Operation, begin: Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def idempotent(*args: Any, **kwargs: Any) -> Any:
        # Whatever interrupts any line below, it finds here what the call holds.
        found: list[Any] = []
        try:
            ticket = begin(args, kwargs, found)
            if type(ticket) is not Ticket:
                if not found:
                    return ticket
                if type(found[0]) is not Ticket:
                    return remembered(operation, *found)
                ticket = claimed(operation, found)
                if type(ticket) is not Ticket and ticket.state != OWNED:
                    return (
                        ticket.answer() if ticket.state == REPLAYED else function(*args, **kwargs)
                    )
            token = current.set(ticket)
            try:
                value = function(*args, **kwargs)
            finally:
                current.reset(token)
            if type(value) not in PLAIN and hasattr(value, "__await__"):
                raise _awaitable(operation, value)
            if type(ticket) is not Ticket:
                return finish(ticket, value)
            said = ticket.end(value)
            return value if said is None else ended(operation, ticket, value, said)
        except BaseException as error:
            run = run_of(found[0]) if found and type(found[0]) is Ticket else None
            if run is not None and run.state == OWNED:
                # Nothing that falls into any line above leaves the key to a lease that is renewed.
                if run.said is None:
                    run.raised(error)
                trouble = settle(run)
                if trouble is not None:
                    error.add_note(str(trouble))
            raise

    return idempotent


def _task(
    function: Callable[..., Awaitable[Any]], operation: Operation, begin: Begin
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    async def idempotent(*args: Any, **kwargs: Any) -> Any:
        found: list[Any] = []
        try:
            ticket = begin(args, kwargs, found)
            if type(ticket) is not Ticket:
                if not found:
                    return ticket
                if type(found[0]) is not Ticket:
                    return remembered(operation, *found)
                ticket = await aclaimed(operation, found)
                if type(ticket) is not Ticket and ticket.state != OWNED:
                    if ticket.state == REPLAYED:
                        return ticket.answer()
                    return await function(*args, **kwargs)
            token = current.set(ticket)
            try:
                value = await function(*args, **kwargs)
            finally:
                leave(token)
            if type(ticket) is not Ticket:
                return await afinish(ticket, value)
            said = ticket.end(value)
            return value if said is None else await aended(operation, ticket, value, said)
        except BaseException as error:
            run = run_of(found[0]) if found and type(found[0]) is Ticket else None
            if run is not None and run.state == OWNED:
                if run.said is None:
                    run.raised(error)
                if isinstance(error, Exception):
                    trouble = await asettle(run)
                    if trouble is not None:
                        error.add_note(str(trouble))
                else:
                    # Cancelled or closed: a task that waits now would not be let.
                    let_go(run)
            raise

    return idempotent


def _awaitable(operation: Operation, value: Any) -> ConfigError:
    if inspect.iscoroutine(value):
        value.close()
    rule = (
        "returned an awaitable, which is no result: make it `async def`, so that it is over when "
        "its result is kept"
    )
    return ConfigError(
        f"idempotency {operation.name!r}", [("function", type(value).__name__, rule, None)]
    )
