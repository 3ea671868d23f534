"""`transient` against real HTTP clients and real failures."""

import ssl

import aiohttp
import botocore.exceptions
import httpx
import httpx2
import pytest
import requests
import urllib3
from seawall import transient

from tests.clients.web import CLIENTS, Get, each_client, failure


@each_client
@pytest.mark.parametrize("mode", ["refused", "dns", "slow", "cut", "garbage", "tls"])
def test_transport_errors(service, get: Get, mode: str):
    """Every way in which the transport fails is worth another try, in every client's words."""
    error = failure(lambda: get(service.url(mode), strict=True))
    assert transient(error), repr(error)


STATUSES = [(status, True) for status in (408, 425, 429, 500, 502, 503, 504)] + [
    (status, False) for status in (400, 401, 403, 404, 409, 418, 422, 499, 501, 505, 507, 599)
]


@each_client
@pytest.mark.parametrize(("status", "expected"), STATUSES)
def test_a_raised_status_decides(service, get: Get, status: int, expected: bool):
    """The retryable statuses are transient when raised, and no other is."""
    error = failure(lambda: get(service.url(str(status)), strict=True))
    assert transient(error) is expected, repr(error)


@pytest.mark.parametrize("get", CLIENTS[:-1], ids=lambda get: get.__name__[5:])
@pytest.mark.parametrize(("status", "expected"), [(200, False), *STATUSES])
def test_a_returned_status_decides(service, get: Get, status: int, expected: bool):
    """A response that is returned is judged by its status."""
    assert transient(get(service.url(str(status)))) is expected


@each_client
@pytest.mark.parametrize("url", ["nonsense://127.0.0.1/", "http://[::bad/", "/no/host"])
def test_bad_urls_are_final(get: Get, url: str):
    """What a client refuses to send will not be sent the next time."""
    error = failure(lambda: get(url, strict=True))
    assert not transient(error), repr(error)


def raised_from(error: Exception, cause: Exception) -> Exception:
    """The one, raised from the other."""
    error.__cause__ = cause
    return error


UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
BY_URLLIB3 = urllib3.exceptions.SSLError(UNTRUSTED)


@pytest.mark.parametrize(
    "error",
    [
        raised_from(
            httpx.ConnectError("failed"), raised_from(ConnectionError("httpcore's"), UNTRUSTED)
        ),
        raised_from(
            httpx2.ConnectError("failed"), raised_from(ConnectionError("httpcore2's"), UNTRUSTED)
        ),
        urllib3.exceptions.MaxRetryError(None, "/", BY_URLLIB3),
        requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "/", BY_URLLIB3)),
        aiohttp.ClientConnectorCertificateError(None, UNTRUSTED),
        aiohttp.ServerFingerprintMismatch(b"", b"x", "host", 443),
        botocore.exceptions.SSLError(endpoint_url="https://…", error=BY_URLLIB3),
    ],
    ids=lambda error: type(error).__module__.partition(".")[0],
)
def test_certificates_that_are_not_trusted_are_final(error: Exception):
    """A certificate that is refused stays so; clients report it as a failed connection."""
    assert not transient(error)


def test_a_full_pool_is_of_the_moment():
    """Waiting in vain for a connection of one's own pool is a timeout."""
    assert transient(httpx.PoolTimeout("full"))
    assert transient(urllib3.exceptions.EmptyPoolError(None, "full"))
