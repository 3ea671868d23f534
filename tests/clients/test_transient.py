"""`transient` on the standard library, on strangers, on groups, and on seawall itself."""

import asyncio
import concurrent.futures
import errno
import http
import http.client
import socket
import ssl
import sys
import urllib.error
from types import SimpleNamespace
from unittest.mock import MagicMock, Mock

import anyio
import pytest
import seawall
import trio
from seawall import transient
from seawall.clients.classes import CLASSES

from tests.children import printed


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ETIMEDOUT, "Connection timed out"),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        ssl.SSLError(1, "wrong version number"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        urllib.error.URLError(socket.gaierror(socket.EAI_AGAIN, "Temporary failure")),
    ],
    ids=repr,
)
def test_transport_errors_of_the_standard_library(error: Exception):
    """Beside what `test_judged_alike` has: names and TLS that fail are worth another try."""
    assert transient(error)


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLCertVerificationError(1, "certificate verify failed"),
        urllib.error.URLError(ssl.SSLCertVerificationError(1, "certificate verify failed")),
        concurrent.futures.CancelledError(),
    ],
    ids=repr,
)
def test_what_will_fail_again(error: BaseException):
    """Beside what `test_judged_alike` has: bad certificates and futures that were cancelled."""
    assert not transient(error)


def test_several_addresses_tried_in_vain(service):
    """Trio and anyio, which join the failures of several addresses to one, are understood."""

    async def by_trio() -> None:
        await trio.open_tcp_stream("localhost", service.refusing)

    async def by_anyio() -> None:
        await anyio.connect_tcp("localhost", service.refusing)

    with pytest.raises(OSError, match="all attempts") as caught:
        trio.run(by_trio)
    assert transient(caught.value)
    for backend in ("asyncio", "trio"):
        with pytest.raises(OSError, match="failed") as caught:
            anyio.run(by_anyio, backend=backend)
        assert transient(caught.value)
    # With more addresses than this machine may have, anyio has a group for a cause.
    several = OSError("All connection attempts failed")
    several.__cause__ = ExceptionGroup("", [ConnectionRefusedError(), ConnectionRefusedError()])
    assert transient(several)


class RefusalError(Exception):
    """A stranger that knows a status."""

    def __init__(self, **known: object) -> None:
        super().__init__(known)
        self.__dict__.update(known)


AGAIN = {408, 425, 429, 500, 502, 503, 504}


@pytest.mark.parametrize("name", ["status_code", "status", "code"])
def test_statuses(name: str):
    """Seven statuses and no other are transient, raised or returned, on whatever carries them."""
    for status in range(100, 600):
        response = SimpleNamespace(headers={}, **{name: status})
        for outcome in (RefusalError(**{name: status}), RefusalError(response=response), response):
            assert transient(outcome) is (status in AGAIN), outcome


def test_a_status_outweighs_the_class():
    """A 404 or a 501 that is also a connection error is final; a 200 leaves it to the class."""

    class BothError(RefusalError, ConnectionError):
        pass

    assert not transient(BothError(status_code=404))
    assert not transient(BothError(response=SimpleNamespace(status_code=http.HTTPStatus(501))))
    assert transient(BothError(status_code=200))


class PricklyError(Exception):
    """Raises when looked at."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "value",
    [None, 0, 503, "503", [], {}, {"status": 503}, object(), Mock(), MagicMock(), PricklyError()],
    ids=repr,
)
def test_the_unknown_is_final(value: object):
    """A value that is no response is not tried again, whatever its attributes do."""
    assert not transient(value)


def nested(depth: int, *members: Exception) -> ExceptionGroup[Exception]:
    """A group in a group in a group."""
    group = ExceptionGroup("", members)
    for _ in range(depth):
        group = ExceptionGroup("", [group])
    return group


def test_a_group_is_transient_if_every_member_is():
    """With one member that will fail again the whole will; members of inner groups count."""
    reset, late, bug = ConnectionResetError(), TimeoutError(), ValueError()
    assert transient(ExceptionGroup("", [reset, late]))
    assert transient(ExceptionGroup("", [reset, ExceptionGroup("", [late, late])]))
    assert not transient(ExceptionGroup("", [reset, bug]))
    assert not transient(ExceptionGroup("", [reset, ExceptionGroup("", [late, bug])]))
    assert not transient(BaseExceptionGroup("", [reset, asyncio.CancelledError()]))
    assert not transient(ExceptionGroup("", [reset, RefusalError(status=404)]))


def test_groups_deeper_than_python_recurses():
    """No depth of groups makes the predicates fail."""
    deep = nested(5 * sys.getrecursionlimit(), ConnectionResetError())
    assert transient(deep)
    assert seawall.unhealthy(deep)
    assert not transient(nested(5 * sys.getrecursionlimit(), ConnectionResetError(), KeyError()))


def test_rejections_are_final():
    """Seawall's own shedding is not tried again, even as a TimeoutError or wrapped."""

    class LateError(seawall.Rejected, TimeoutError):
        """Both."""

    for rejected in (seawall.Rejected("shop", 1.0), LateError("shop", 1.0)):
        assert not transient(rejected)
        wrapper = RuntimeError()
        wrapper.__cause__ = rejected
        assert not transient(wrapper)


def test_an_error_is_what_it_was_raised_from():
    """What says nothing by itself is judged by its cause; what it came after says nothing."""
    for cause, expected in (
        (ConnectionResetError(), True),
        (RefusalError(status=503), True),
        (RefusalError(status=404), False),
        (asyncio.CancelledError(), False),
    ):
        error = RuntimeError()
        error.__cause__ = cause
        assert transient(error) is expected
    after = RuntimeError()
    after.__context__ = ConnectionResetError()
    assert not transient(after)


def test_rings_end():
    """Errors that hold one another, by cause, by reason and as arguments, end the search."""
    error = urllib.error.URLError("round")
    error.reason = error.__cause__ = error
    error.args = (error,)
    assert not transient(error)
    late = TimeoutError()
    late.__cause__, late.args = late, (late,)
    assert transient(late)


def test_both_ways_to_be_asked():
    """It serves as `on=` and as `on_result=` of a policy."""
    breaker = seawall.CircuitBreaker("both", failure_threshold=2, on=transient, on_result=transient)
    with pytest.raises(ConnectionResetError):
        breaker.call(lambda: (_ for _ in ()).throw(ConnectionResetError()).send(None))
    breaker.call(lambda: SimpleNamespace(status_code=503))
    assert breaker.state == "open"


def test_nothing_heavy_is_imported():
    """Loading the predicate loads no client, and no network of the standard library."""
    program = (
        "import sys, seawall.clients.retry_after;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    heavy = {*CLASSES, "urllib", "email"} - {"builtins", "seawall"}
    assert not heavy & set(printed(program).split())
