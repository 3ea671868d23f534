"""Reads what an outcome says about the service: a status, or the kind of its exception.

Nothing is imported, nothing is called but attributes, and nothing that an attribute raises gets
out: a predicate stands between a failure and its handling, and must not add one.
"""

from __future__ import annotations

import errno
from functools import lru_cache

from seawall.clients.classes import CLASSES, CONNECT, OURS, TRANSPORT, WRAPPERS
from seawall.clients.statuses import AWS, GRPC, sqlstate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias, TypeGuard, TypeVar

    from seawall.clients.classes import Kind

    Sign: TypeAlias = int | Kind | None
    T = TypeVar("T")

_ERRNO_NAMES: dict[Kind, tuple[str, ...]] = {
    CONNECT: ("EADDRNOTAVAIL", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH"),
    TRANSPORT: ("ENETRESET", "ENOTCONN", "EPROTO"),
}
_ERRNOS: dict[int, Kind] = {
    getattr(errno, name): kind
    for kind, names in _ERRNO_NAMES.items()
    for name in names
    if hasattr(errno, name)  # not every platform has every number
}
_SPECIAL = {
    "aiohttp": {"HttpProcessingError": "unparsed", "ServerFingerprintMismatch": "distrusted"},
    "grpc": {"RpcError": "grpc"},
    "seawall": {"Rejected": "rejected"},
    "ssl": {"SSLCertVerificationError": "distrusted"},
    "urllib3": {"ResponseError": "retried"},
}
"""Package → class name → what has to be done apart for it."""
_OF_SEVERAL = (
    "Multiple exceptions:",  # asyncio
    "all attempts to connect to ",  # trio
    "All connection attempts failed",  # anyio
)
DEPTH = 4
"""How many errors inside errors are looked into."""


def sign(outcome: object) -> Sign:
    """What a raised exception or a returned value says about the service.

    Returns:
        An HTTP status, a `Kind`, or None where nothing is known. Exception groups say nothing of
        their own: ask for each member.
    """
    if isinstance(outcome, BaseException):
        return _of_exception(outcome, DEPTH) if isinstance(outcome, Exception) else None
    return _of_value(outcome)


def _of_value(value: object) -> Sign:
    if is_dict(value):
        return _aws(value)
    if type(value).__module__ == "builtins":
        return None
    if (given := look(value, "status_code")) is not None:
        return _http(given)
    # `status` and `code` are words of every trade: without headers it is no response.
    if look(value, "headers") is None:
        return None
    return _http(look(value, "status")) or _http(look(value, "code"))


def _of_exception(error: Exception, depth: int) -> Sign:
    cls = type(error)
    apart = special(cls)
    if apart == "rejected":
        return OURS
    answered = _answer(error, apart)
    # A status below 400 is not why it failed: a redirect too many, a body of the wrong type.
    if isinstance(answered, str) or (answered is not None and answered >= 400):
        return answered
    # SQLAlchemy found that the connection is gone, which each driver says in its own way.
    if look(error, "connection_invalidated") is True:
        return TRANSPORT
    if depth and (inner := wrapped(error)) is not None:
        within = _of_exception(inner, depth - 1)
        if within is not None:
            return within
    if said := _kind(cls) or _of_os_error(error):
        return said
    # An error of the caller's own making, raised `from` a client's: that is why it failed. What it
    # was merely raised after (`__context__`) may have been dealt with.
    cause = look(error, "__cause__")
    if depth and isinstance(cause, Exception):
        return _of_exception(cause, depth - 1)
    return None


def _answer(error: Exception, apart: str | None) -> Sign:
    """What the service answered, if the exception knows."""
    response = look(error, "response")
    if response is not None:
        answered = _of_value(response)
        if answered is not None:
            return answered
    for name in ("sqlstate", "pgcode"):
        code = look(error, name)
        if isinstance(code, str) and len(code) == 5:
            return sqlstate(code)
    # What aiohttp can't parse it reports as a status of 400 of its own making.
    if apart == "unparsed" or special(type(look(error, "__cause__"))) == "unparsed":
        return TRANSPORT
    if apart == "grpc":
        return _grpc(look(error, "code"))
    if apart == "retried":
        return _retried(error)
    for name in ("status_code", "status"):
        answered = _http(look(error, name))
        if answered is not None:
            return answered
    return _http(look(error, "code"))


def _retried(error: Exception) -> int | None:
    """The status that urllib3 gave up on; only the text has it: too many 503 error responses."""
    numbers = (word for word in str(error).split() if len(word) == 3 and word.isdecimal())
    return next(map(int, numbers), None)


def _aws(response: object) -> Sign:
    """The status in a response of botocore, which is a dict."""
    code = entry(entry(response, "Error"), "Code")
    if isinstance(code, str) and code in AWS:
        return AWS[code]
    return _http(entry(entry(response, "ResponseMetadata"), "HTTPStatusCode"))


def entry(table: object, key: str) -> object:
    """What a dict has under a key; None if it is no dict."""
    return table.get(key) if is_dict(table) else None


def is_dict(thing: object) -> TypeGuard[dict[object, object]]:
    """Whether it is a dict, of whatever."""
    return isinstance(thing, dict)


def _grpc(code: object) -> Sign:
    try:
        name = look(code(), "name") if callable(code) else None
    except Exception:  # noqa: BLE001 - a call that has not ended, or a stand-in: no status
        return None
    return GRPC.get(name) if isinstance(name, str) else None


def wrapped(error: Exception) -> Exception | None:
    """The error that a known wrapper passes on."""
    name = _holder(type(error))
    if name is None:
        return None
    within = made_of(error) if name == "args" else look(error, name)
    return within if isinstance(within, Exception) else None


def made_of(error: Exception) -> object:
    """The first argument of an error; None if it has none."""
    arguments = look(error, "args")
    return next(iter(arguments), None) if _is_tuple(arguments) else None


def _is_tuple(thing: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(thing, tuple)


def _of_os_error(error: Exception) -> Sign:
    if not isinstance(error, OSError):
        return None
    number = look(error, "errno")
    if isinstance(number, int) and (kind := _ERRNOS.get(number)):
        return kind
    # Several addresses were tried, and the errors of all joined to one without a number.
    text = made_of(error)
    if isinstance(text, str) and text.startswith(_OF_SEVERAL):
        return CONNECT
    return None


def _listed(cls: type, table: Mapping[str, Mapping[str, T]]) -> T | None:
    """The entry of the most derived class that has one."""
    for each in cls.__mro__:
        names = table.get(_root(each))
        if names is not None and each.__name__ in names:
            return names[each.__name__]
    return None


def _root(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _once_a_class(read: Callable[[type], T]) -> Callable[[type], T]:
    """A class says the same every time. Bounded: classes may be made without end."""
    return lru_cache(maxsize=512)(read)


@_once_a_class
def _kind(cls: type) -> Kind | None:
    return _listed(cls, CLASSES)


@_once_a_class
def _holder(cls: type) -> str | None:
    return _listed(cls, WRAPPERS)


@_once_a_class
def special(cls: type) -> str | None:
    """What has to be done apart for a class, see `_SPECIAL`."""
    return _listed(cls, _SPECIAL)


def _http(given: object) -> int | None:
    """An HTTP status, if it is one: a number from 100 to 599."""
    return int(given) if isinstance(given, int) and 100 <= given <= 599 else None


def look(thing: object, name: str) -> object:
    """An attribute, or None if it is not there or raises."""
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001 - a property may raise anything; then it says nothing
        return None
