"""Answers of no client in particular, and how long they ask to wait."""

from datetime import UTC, datetime
from types import SimpleNamespace

from seawall.clients.retry_after import retry_after

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC).timestamp()


def never() -> float:
    """A clock that must not be asked."""
    raise AssertionError("the clock was asked")


def answer(headers: object) -> SimpleNamespace:
    """A response that was returned."""
    return SimpleNamespace(status_code=503, headers=headers)


def asked(headers: object, now: float = NOW) -> float | None:
    """The wait that the headers of an answer ask for."""
    return retry_after(answer(headers), now=lambda: now)


class AnsweredError(Exception):
    """A stranger that knows its answer."""

    def __init__(self, **known: object) -> None:
        super().__init__("no")
        self.__dict__.update(known)


def raised_from(cause: BaseException) -> Exception:
    """An error of the caller's own."""
    error = RuntimeError()
    error.__cause__ = cause
    return error
