"""`unhealthy` against real HTTP clients and real failures."""

import httpx
import pytest
import requests
import urllib3
from seawall.clients import unhealthy

from tests.clients.web import CLIENTS, Get, each_client, failure, with_urllib


@each_client
@pytest.mark.parametrize("mode", ["refused", "dns", "slow", "cut", "garbage", "tls"])
def test_transport_errors_count(service, get: Get, mode: str):
    """Every way in which the transport fails counts, in the words of every client."""
    error = failure(lambda: get(service.url(mode), strict=True))
    assert unhealthy(error), repr(error)


@each_client
@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (500, True),
        (501, True),
        (502, True),
        (503, True),
        (504, True),
        (599, True),
        (408, True),
        (425, True),
        (429, True),
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (409, False),
        (418, False),
        (422, False),
        (499, False),
    ],
)
def test_a_raised_status_decides(service, get: Get, status: int, counts: bool):
    """5xx, 408, 425 and 429 count when raised; no other status does, whatever its class."""
    error = failure(lambda: get(service.url(str(status)), strict=True))
    assert unhealthy(error) is counts, repr(error)


@pytest.mark.parametrize("get", CLIENTS[:-1], ids=lambda get: get.__name__[5:])
@pytest.mark.parametrize(
    ("status", "counts"), [(200, False), (404, False), (429, True), (503, True)]
)
def test_a_returned_status_decides(service, get: Get, status: int, counts: bool):
    """A response that is returned counts by its status, also one that is false as a boolean."""
    assert unhealthy(get(service.url(str(status)))) is counts


def test_urllib_returns_what_is_well(service):
    """A response of urllib.request is read as well."""
    assert not unhealthy(with_urllib(service.url("200")))


@each_client
@pytest.mark.parametrize("url", ["nonsense://127.0.0.1/", "http://[::bad/", "/no/host"])
def test_bad_urls_are_the_callers_fault(get: Get, url: str):
    """What a client refuses to send says nothing about the service."""
    error = failure(lambda: get(url, strict=True))
    assert not unhealthy(error), repr(error)


def test_requests_gives_up_on_a_status(service):
    """Requests' RetryError counts by the status that urllib3 was told to retry."""

    def get(status: int) -> object:
        with requests.Session() as session:
            session.trust_env = False
            retries = urllib3.Retry(0, status=0, status_forcelist=[status])
            session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
            return session.get(service.url(str(status)))

    raised = failure(lambda: get(503))
    assert isinstance(raised, requests.exceptions.RetryError)
    assert unhealthy(raised)
    assert not unhealthy(failure(lambda: get(404)))


@pytest.mark.parametrize(
    "error",
    [httpx.PoolTimeout("full"), httpx.DecodingError("not gzip"), httpx.WriteTimeout("slow")],
    ids=repr,
)
def test_rarer_errors_of_transport_count(error: Exception):
    """A pool emptied by a slow service and a body that can't be decoded count."""
    assert unhealthy(error)


class WrappedError(Exception):
    """What a caller makes of a client's error."""


@each_client
@pytest.mark.parametrize(("mode", "counts"), [("refused", True), ("503", True), ("404", False)])
def test_errors_raised_from_a_clients_error(service, get: Get, mode: str, counts: bool):
    """An error raised from a client's counts as that one does."""
    error = WrappedError()
    error.__cause__ = failure(lambda: get(service.url(mode), strict=True))
    assert unhealthy(error) is counts
