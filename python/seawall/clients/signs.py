"""Reads what an outcome says about the service: a status, or the kind of its exception.

Nothing is imported, nothing is called but attributes, and nothing that an attribute raises gets
out: a predicate stands between a failure and its handling, and must not add one.
"""

from __future__ import annotations

import errno

from seawall.clients.classes import CLASSES, CONNECT, OURS, TRANSPORT, WRAPPERS
from seawall.clients.statuses import AWS, GRPC, sqlstate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias, TypeVar

    from seawall.clients.classes import Kind

    Sign: TypeAlias = int | Kind | None
    T = TypeVar("T")

_UNREACHED = frozenset(
    number
    for name in ("EADDRNOTAVAIL", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH")
    if (number := getattr(errno, name, None)) is not None
)
_BROKEN = frozenset({errno.ENETRESET, errno.ENOTCONN, errno.EPROTO})
_REJECTIONS = {"seawall": CLASSES["seawall"]}
_UNPARSED = {"aiohttp": {"HttpProcessingError": TRANSPORT}}
_DEPTH = 4
"""How many errors inside errors are looked into."""


def sign(outcome: object) -> Sign:
    """What a raised exception or a returned value says about the service.

    Returns:
        An HTTP status, a `Kind`, or None where nothing is known. Exception groups say nothing of
        their own: ask for each member.
    """
    if isinstance(outcome, BaseException):
        return _of_exception(outcome, _DEPTH) if isinstance(outcome, Exception) else None
    return _of_value(outcome)


def _of_value(value: object) -> int | None:
    if type(value).__module__ == "builtins":
        return _aws(value)
    if (given := _look(value, "status_code")) is not None:
        return _http(given)
    # `status` and `code` are words of every trade: without headers it is no response.
    if _look(value, "headers") is None:
        return None
    return _http(_look(value, "status")) or _http(_look(value, "code"))


def _of_exception(error: Exception, depth: int) -> Sign:
    if _listed(error, _REJECTIONS) is not None:
        return OURS
    answered = _answer(error)
    # A status below 400 is not why it failed: a redirect too many, a body of the wrong type.
    if isinstance(answered, str) or (answered is not None and answered >= 400):
        return answered
    # SQLAlchemy found that the connection is gone, which each driver says in its own way.
    if _look(error, "connection_invalidated") is True:
        return TRANSPORT
    if depth and (wrapped := _wrapped(error)) is not None:
        within = _of_exception(wrapped, depth - 1)
        if within is not None:
            return within
    return _listed(error, CLASSES) or _of_os_error(error)


def _answer(error: Exception) -> Sign:
    """What the service answered, if the exception knows."""
    response = _look(error, "response")
    if response is not None:
        answered = _aws(response) or _of_value(response)
        if answered is not None:
            return answered
    for name in ("sqlstate", "pgcode"):
        code = _look(error, name)
        if isinstance(code, str) and len(code) == 5:
            return sqlstate(code)
    if _invented(error):
        return None
    for name in ("status_code", "status"):
        answered = _http(_look(error, name))
        if answered is not None:
            return answered
    code = _look(error, "code")
    if callable(code) and _roots(error) & {"grpc"}:
        return _grpc(code)
    return _http(code) or _retried(error)


def _invented(error: Exception) -> bool:
    """Whether aiohttp made up the status: an answer that it can't parse becomes a 400."""
    about = error if error.__cause__ is None else error.__cause__
    return _listed(about, _UNPARSED) is not None


def _retried(error: Exception) -> int | None:
    """The status that urllib3 gave up on, which only the text names: too many 503 error responses."""
    if type(error).__name__ != "ResponseError" or "urllib3" not in _roots(error):
        return None
    return next((int(word) for word in str(error).split() if word.isdigit()), None)


def _aws(response: object) -> int | None:
    """The status in a response of botocore, which is a dict."""
    if not isinstance(response, dict):
        return None
    answer: Mapping[object, object] = response
    error, metadata = answer.get("Error"), answer.get("ResponseMetadata")
    if isinstance(error, dict):
        problem: Mapping[object, object] = error
        code = problem.get("Code")
        if isinstance(code, str) and code in AWS:
            return AWS[code]
    if isinstance(metadata, dict):
        about: Mapping[object, object] = metadata
        return _http(about.get("HTTPStatusCode"))
    return None


def _grpc(code: object) -> int | None:
    try:
        name = _look(code(), "name") if callable(code) else None
    except Exception:  # noqa: BLE001 - a call that has not ended, or a stand-in: no status
        return None
    return GRPC.get(name) if isinstance(name, str) else None


def _wrapped(error: Exception) -> Exception | None:
    name = _listed(error, WRAPPERS)
    if name is None:
        return None
    within = _look(error, name)
    if isinstance(within, tuple):
        args: tuple[object, ...] = within
        within = args[0] if args else None
    return within if isinstance(within, Exception) else None


def _of_os_error(error: Exception) -> Sign:
    if not isinstance(error, OSError):
        return None
    if error.errno in _UNREACHED:
        return CONNECT
    if error.errno in _BROKEN:
        return TRANSPORT
    # asyncio tried several addresses, and joined the errors of all to one without a number.
    if error.errno is None and str(error).startswith("Multiple exceptions:"):
        return CONNECT
    return None


def _listed(error: BaseException, table: Mapping[str, Mapping[str, T]]) -> T | None:
    """The entry of the most derived class that has one."""
    for cls in type(error).__mro__:
        names = table.get(_root(cls))
        if names is not None and cls.__name__ in names:
            return names[cls.__name__]
    return None


def _roots(error: BaseException) -> set[str]:
    return {_root(cls) for cls in type(error).__mro__}


def _root(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _http(given: object) -> int | None:
    """An HTTP status, if it is one: a number from 100 to 599."""
    return int(given) if isinstance(given, int) and 100 <= given <= 599 else None


def _look(thing: object, name: str) -> object:
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001 - a property may raise anything; then it says nothing
        return None
