"""`retry_after` on what real clients raise and return."""

import asyncio
import math
from urllib.parse import urlencode

import botocore.exceptions
import grpc
import grpc.aio
import pytest
from seawall import transient
from seawall.clients.retry_after import retry_after

from tests.clients.aws import bucket
from tests.clients.web import CLIENTS, Get, each_client, failure, with_urllib3

LATER = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:07 GMT"
CASES = [
    ({"Retry-After": "7"}, 7.0),
    ({"RETRY-AFTER": "0.5"}, 0.5),
    ({"Retry-After": LATER, "Date": EARLIER}, 30.0),
    ({"Retry-After": LATER}, 100.0),
    ({"Retry-After": "2", "retry-after-ms": "2500"}, 2.5),
    ({"x-amz-retry-after": "40"}, 0.04),
    ({"Retry-After": "soon"}, None),
    ({}, None),
]
each_case = pytest.mark.parametrize(("headers", "seconds"), CASES)


def now() -> float:
    """A hundred seconds before what is later."""
    return 784111777.0 - 100


def says(service, status: int, headers: dict[str, str]) -> str:
    """The address that answers with this status and these headers."""
    return service.url(f"{status}?{urlencode(headers)}")


@each_client
@each_case
def test_raised(service, get: Get, headers: dict[str, str], seconds: float | None):
    """A status that was raised asks for the wait in its headers."""
    error = failure(lambda: get(says(service, 503, headers), strict=True))
    assert transient(error)
    # What urllib3 raises knows no headers: its own retries have used them.
    assert retry_after(error, now=now) == (None if get is with_urllib3 else seconds)


@pytest.mark.parametrize("get", CLIENTS[:-1], ids=lambda get: get.__name__[5:])
@each_case
def test_returned(service, get: Get, headers: dict[str, str], seconds: float | None):
    """A response that was returned asks for the wait in its headers."""
    assert retry_after(get(says(service, 429, headers)), now=now) == seconds


@pytest.mark.parametrize("get", CLIENTS[:-1], ids=lambda get: get.__name__[5:])
def test_two_of_one_name(service, get: Get):
    """Of a header that was sent twice the longer wait holds, whether or not a client joins them."""
    url = service.url("503?Retry-After=3&Retry-After=8&Retry-After=5")
    assert retry_after(get(url), now=now) == 8.0


@each_client
@pytest.mark.parametrize("mode", ["refused", "garbage"])
def test_no_answer(service, get: Get, mode: str):
    """Where nobody answered nothing is asked for."""
    error = failure(lambda: get(service.url(mode), strict=True))
    assert retry_after(error, now=now) is None


@each_case
def test_botocore(service, headers: dict[str, str], seconds: float | None):
    """A ClientError has the headers of the answer among its metadata; so has the answer itself."""
    client = bucket(service.url("503"))
    client.meta.events.register(
        "before-send", lambda request, **_: setattr(request, "url", says(service, 503, headers))
    )
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.get_object(Bucket="b", Key="k")
    client.close()
    assert transient(caught.value)
    assert retry_after(caught.value, now=now) == seconds
    assert retry_after(caught.value.response, now=now) == seconds


@pytest.mark.parametrize(
    ("pushback", "seconds"),
    [("1500", 1.5), ("0", 0.0), ("-1", math.inf), ("later", math.inf), ("1.5", math.inf)],
)
def test_grpc(codes: str, pushback: str, seconds: float):
    """A server's pushback is in the trailing metadata, sync and async; infinite: not again."""
    metadata = (("send-grpc-retry-pushback-ms", pushback),)
    with grpc.insecure_channel(codes) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/codes/UNAVAILABLE")(b"", timeout=5, metadata=metadata)
    assert retry_after(caught.value, now=now) == seconds

    async def call() -> None:
        async with grpc.aio.insecure_channel(codes) as channel:
            await channel.unary_unary("/codes/UNAVAILABLE")(b"", timeout=5, metadata=metadata)

    with pytest.raises(grpc.RpcError) as caught:
        asyncio.run(call())
    assert retry_after(caught.value, now=now) == seconds


def test_grpc_without_pushback(codes: str):
    """A gRPC error that says nothing about when asks for nothing."""
    with grpc.insecure_channel(codes) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/codes/UNAVAILABLE")(b"", timeout=5)
    assert retry_after(caught.value, now=now) is None
    assert retry_after(grpc.RpcError(), now=now) is None
