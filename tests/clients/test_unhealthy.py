"""`unhealthy` on the standard library, on strangers, and on seawall itself."""

import asyncio
import errno
import http
import http.client
import ssl
import urllib.error
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from seawall import errors
from seawall.clients import unhealthy
from seawall.clients.classes import CLASSES

from tests.children import printed


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLCertVerificationError(1, "certificate verify failed"),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        urllib.error.URLError(ssl.SSLError(1, "wrong version number")),
        ExceptionGroup("", [ValueError(), ExceptionGroup("", [ConnectionResetError()])]),
    ],
    ids=repr,
)
def test_transport_errors_of_the_standard_library_count(error: Exception):
    """Beside what `test_judged_alike` has: network and TLS errors count, also inside a group."""
    assert unhealthy(error)


@pytest.mark.parametrize(
    "error",
    [
        http.client.CannotSendRequest(),
        ExceptionGroup("", [ValueError(), KeyError()]),
        BaseExceptionGroup("", [ConnectionResetError(), asyncio.CancelledError()]),
    ],
    ids=repr,
)
def test_what_is_not_transport_does_not_count(error: BaseException):
    """Beside what `test_judged_alike` has: misuse, and groups in which something else lies."""
    assert not unhealthy(error)


class RefusalError(Exception):
    """A stranger that knows a status."""

    def __init__(self, **known: object) -> None:
        super().__init__(known)
        self.__dict__.update(known)


@pytest.mark.parametrize("name", ["status_code", "status", "code"])
@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (503, True),
        (http.HTTPStatus.TOO_MANY_REQUESTS, True),
        (404, False),
        (600, False),
        (5000, False),
        (True, False),
        ("503", False),
        (None, False),
    ],
)
def test_strangers_with_a_status(name: str, status: object, counts: bool):
    """An exception of no known client counts by the status it carries, on itself or a response."""
    assert unhealthy(RefusalError(**{name: status})) is counts
    response = SimpleNamespace(headers={}, **{name: status})
    assert unhealthy(RefusalError(response=response)) is counts
    assert unhealthy(response) is counts


def test_a_status_outweighs_the_class():
    """A 404 that is also a connection error does not count; a 200 leaves it to the class."""

    class BothError(RefusalError, ConnectionError):
        pass

    assert not unhealthy(BothError(status_code=404))
    assert not unhealthy(BothError(response=SimpleNamespace(status_code=404)))
    assert unhealthy(BothError(status_code=200))


class PricklyError(Exception):
    """Raises when looked at."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        503,
        "503",
        b"",
        [],
        {},
        {"status": 503},
        object(),
        Mock(),
        PricklyError(),
        RefusalError,
        SimpleNamespace(status_code="503"),
        SimpleNamespace(status_code=None, status=503),
        SimpleNamespace(status=503),
        SimpleNamespace(code=503),
    ],
    ids=repr,
)
def test_the_unknown_does_not_count(value: object):
    """A value that is no response does not count, even if one of its words is `status`."""
    assert not unhealthy(value)


def test_returned_exceptions_are_read_as_exceptions():
    """What `gather(return_exceptions=True)` hands back counts as if raised."""
    assert unhealthy(ConnectionResetError()) is unhealthy(SimpleNamespace(status_code=503)) is True


def test_rejections_do_not_count():
    """Seawall's own shedding says nothing about the service, even as a TimeoutError."""

    class LateError(errors.Rejected, TimeoutError):
        """Both."""

    for rejected in (errors.Rejected, LateError):
        assert not unhealthy(rejected.__new__(rejected))


def test_errors_that_hold_one_another_end():
    """A wrapper that holds itself is unknown, not an endless search."""
    error = urllib.error.URLError("round")
    error.reason = error
    assert not unhealthy(error)


def test_nothing_heavy_is_imported():
    """Loading the predicate loads no client, and no network of the standard library."""
    program = (
        "import sys, seawall.clients.health;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    heavy = {*CLASSES, "urllib", "email"} - {"builtins", "seawall"}
    assert not heavy & set(printed(program).split())


class PaymentError(Exception):
    """An error of the caller's own."""


def raised_from(cause: BaseException | None) -> Exception:
    """An error raised from another."""
    try:
        raise PaymentError from cause
    except PaymentError as error:
        return error


def test_an_error_is_what_it_was_raised_from():
    """What says nothing by itself counts by its cause; what it came after says nothing."""
    assert unhealthy(raised_from(ConnectionResetError()))
    assert unhealthy(raised_from(raised_from(RefusalError(status=503))))
    assert not unhealthy(raised_from(RefusalError(status=404)))
    assert not unhealthy(raised_from(errors.Rejected("shop", 1.0)))
    assert not unhealthy(raised_from(asyncio.CancelledError()))
    known = RefusalError(status=404)
    known.__cause__ = ConnectionResetError()
    assert not unhealthy(known)
    after = PaymentError()
    after.__context__ = ConnectionResetError()
    assert not unhealthy(after)


def test_causes_that_go_round_end():
    """Errors that are each other's cause are unknown, not an endless search."""
    one, other = PaymentError(), PaymentError()
    one.__cause__, other.__cause__ = other, one
    assert not unhealthy(one)
