"""What `transient` and `unhealthy` judge alike: a service out of reach, and what is not its own."""

import asyncio
import concurrent.futures
import errno
import http.client
import socket
import urllib.error

import asyncpg
import botocore.exceptions
import httpx
import httpx2
import psycopg
import psycopg2
import pytest
import redis
import redis.asyncio
import requests
import sqlalchemy
import urllib3
from seawall import transient
from seawall.clients import unhealthy

from tests.clients.aws import bucket


@pytest.fixture(params=[transient, unhealthy], ids=["transient", "unhealthy"])
def judge(request):
    """Whether to try again, and whether it counts."""
    return request.param


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError(),
        ConnectionRefusedError(),
        ConnectionResetError(),
        BrokenPipeError(),
        TimeoutError(),
        concurrent.futures.TimeoutError(),
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        asyncio.IncompleteReadError(b"", 4),
        http.client.RemoteDisconnected(),
        http.client.IncompleteRead(b""),
        urllib.error.URLError(ConnectionRefusedError()),
        OSError("Multiple exceptions: [Errno 111] …, [Errno 111] …"),
    ],
    ids=repr,
)
def test_transport_errors_of_the_standard_library(judge, error: Exception):
    """Errors of connection, name and protocol, and timeouts, count and are worth another try."""
    assert judge(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        KeyError("x"),
        OSError(),
        FileNotFoundError(errno.ENOENT, "No such file"),
        PermissionError(errno.EACCES, "Permission denied"),
        BlockingIOError(),
        InterruptedError(),
        OSError(errno.ENOSPC, "No space left on device"),
        EOFError(),
        http.client.InvalidURL(),
        urllib.error.URLError("unknown url type: nonsense"),
        urllib.error.URLError(FileNotFoundError(errno.ENOENT, "No such file")),
        asyncio.CancelledError(),
        KeyboardInterrupt(),
        SystemExit(503),
        GeneratorExit(),
    ],
    ids=repr,
)
def test_what_is_not_transport(judge, error: BaseException):
    """Bugs, files, cancellation and interruption do not count, and are not tried again."""
    assert not judge(error)


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.TooManyRedirects(),
        requests.exceptions.JSONDecodeError("no", "{", 0),
        httpx.TooManyRedirects("round and round"),
        httpx.LocalProtocolError("no such header"),
        httpx2.StreamConsumed(),
        urllib3.exceptions.ClosedPoolError(None, "closed"),
        urllib3.exceptions.MaxRetryError(
            None, "/", urllib3.exceptions.ResponseError("too many redirects")
        ),
    ],
    ids=repr,
)
def test_other_errors_of_clients(judge, error: Exception):
    """Redirects, decoding of a good answer and misuse of the client are not the transport."""
    assert not judge(error)


def test_redis_out_of_reach(judge, service):
    """A redis that refuses or does not answer is the service's, sync and async."""
    for port in (service.refusing, service.silent):
        with (
            redis.Redis(port=port, socket_timeout=0.1, retry=None) as client,
            pytest.raises(redis.RedisError) as caught,
        ):
            client.ping()
        assert judge(caught.value), repr(caught.value)

    async def ping() -> None:
        async with redis.asyncio.Redis(port=service.refusing, retry=None) as client:
            await client.ping()

    with pytest.raises(redis.RedisError) as caught:
        asyncio.run(ping())
    assert judge(caught.value)


def test_postgres_out_of_reach(judge, service):
    """No connection, by psycopg, psycopg2, asyncpg and SQLAlchemy over each, is the service's."""
    where = f"host=127.0.0.1 port={service.refusing}"
    errors = []
    for driver in (psycopg, psycopg2):
        with pytest.raises(driver.OperationalError) as caught:
            driver.connect(where)
        errors.append(caught.value)
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its text is the system's
            asyncio.run(asyncpg.connect(host=host, port=service.refusing, user="me"))
        errors.append(caught.value)
    for driver in ("psycopg", "psycopg2"):
        engine = sqlalchemy.create_engine(
            f"postgresql+{driver}://127.0.0.1:{service.refusing}/x", poolclass=sqlalchemy.NullPool
        )
        with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
            engine.connect()
        errors.append(caught.value)
    for error in errors:
        assert judge(error), repr(error)


@pytest.mark.parametrize("mode", ["refused", "dns", "slow", "garbage", "tls"])
def test_botocore_out_of_reach(judge, service, mode: str):
    """Every way in which botocore's transport fails is the service's."""
    client = bucket(service.url(mode))
    calls = [client.list_buckets]
    if mode == "refused":
        calls.append(lambda: client.head_bucket(Bucket="b"))
    for call in calls:
        with pytest.raises(botocore.exceptions.BotoCoreError) as caught:
            call()
        assert judge(caught.value), repr(caught.value)
    client.close()
