"""`unhealthy` against real clients of databases, caches, AWS and gRPC."""

import asyncio
import sqlite3

import asyncpg
import botocore.exceptions
import grpc
import grpc.aio
import psycopg
import psycopg_pool
import pytest
import redis
import redis.asyncio
import sqlalchemy
from seawall.clients import unhealthy

from tests.clients.aws import bucket


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (redis.BusyLoadingError(), True),
        (redis.ReadOnlyError(), True),
        (redis.exceptions.ClusterDownError("down"), True),
        (redis.sentinel.MasterNotFoundError(), True),
        (redis.AuthenticationError(), False),
        (redis.ResponseError("WRONGTYPE"), False),
        (redis.exceptions.NoScriptError(), False),
        (redis.exceptions.TryAgainError(), False),
        (redis.WatchError(), False),
        (redis.DataError(), False),
    ],
    ids=repr,
)
def test_redis_answers(error: Exception, counts: bool):
    """A redis that says it can't work counts; one that refuses a command or a password does not."""
    assert unhealthy(error) is counts


STATES = [
    ("08006", True),  # connection failure
    ("53300", True),  # too many connections
    ("57014", True),  # statement timeout
    ("57P01", True),  # shutting down
    ("57P03", True),  # starting up
    ("58030", True),  # input/output error
    ("XX000", True),  # internal error
    ("23505", False),  # unique violation
    ("28P01", False),  # invalid password
    ("40001", False),  # serialization failure
    ("40P01", False),  # deadlock
    ("42P01", False),  # undefined table
    ("55P03", False),  # lock not available
]


@pytest.mark.parametrize(("code", "counts"), STATES)
def test_sqlstates(code: str, counts: bool):
    """The server's code decides, alike in psycopg, asyncpg and SQLAlchemy over psycopg."""
    by_psycopg = psycopg.errors.lookup(code)("said the server")
    by_asyncpg = asyncpg.PostgresError.new({"C": code, "M": "said the server"})
    assert by_asyncpg.sqlstate == code
    by_sqlalchemy = sqlalchemy.exc.DBAPIError.instance("SELECT 1", {}, by_psycopg, psycopg.Error)
    for error in (by_psycopg, by_asyncpg, by_sqlalchemy):
        assert unhealthy(error) is counts, repr(error)


def test_sqlalchemy_says_that_the_connection_is_gone():
    """`connection_invalidated` counts whatever the driver raised."""
    gone = sqlalchemy.exc.DBAPIError("SELECT 1", {}, Exception("eof"), connection_invalidated=True)
    kept = sqlalchemy.exc.DBAPIError("SELECT 1", {}, Exception("eof"))
    assert unhealthy(gone)
    assert not unhealthy(kept)


def test_sqlalchemy_over_an_unknown_driver():
    """An OperationalError of a driver that nobody knows counts, its other errors don't."""
    assert unhealthy(sqlalchemy.exc.OperationalError("SELECT 1", {}, Exception("gone away")))
    assert not unhealthy(sqlalchemy.exc.IntegrityError("SELECT 1", {}, Exception("duplicate")))


def test_a_pool_that_ran_dry_counts():
    """Waiting in vain for a connection of one's own pool is a timeout; a closed pool is misuse."""
    assert unhealthy(sqlalchemy.exc.TimeoutError("QueuePool limit"))
    assert unhealthy(psycopg_pool.PoolTimeout())
    assert not unhealthy(psycopg_pool.PoolClosed())
    assert not unhealthy(psycopg.errors.PipelineAborted())


def test_sqlite_is_no_service():
    """A missing table of SQLite does not count, though its class is OperationalError."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError) as caught:
        connection.execute(sqlalchemy.text("SELECT * FROM nowhere"))
    engine.dispose()
    assert isinstance(caught.value.orig, sqlite3.OperationalError)
    assert not unhealthy(caught.value)
    assert not unhealthy(caught.value.orig)


@pytest.mark.parametrize(("status", "counts"), [(503, True), (429, True), (404, False)])
def test_botocore_answers(service, status: int, counts: bool):
    """A ClientError counts by the status in its response."""
    client = bucket(service.url(str(status)))
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.get_object(Bucket="b", Key="k")
    client.close()
    assert unhealthy(caught.value) is counts, repr(caught.value)


def test_aws_throttles_with_a_400():
    """An AWS error code that means throttling counts, whatever status came with it."""

    def answer(code: str) -> Exception:
        metadata = {"HTTPStatusCode": 400}
        return botocore.exceptions.ClientError(
            {"Error": {"Code": code}, "ResponseMetadata": metadata}, "PutItem"
        )

    assert unhealthy(answer("ThrottlingException"))
    assert unhealthy(answer("ProvisionedThroughputExceededException"))
    assert not unhealthy(answer("ConditionalCheckFailedException"))
    assert not unhealthy(botocore.exceptions.NoCredentialsError())


SICK = {
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
}


@pytest.mark.parametrize("name", [code.name for code in grpc.StatusCode if code.name != "OK"])
def test_grpc_codes(codes: str, name: str):
    """Codes of gRPC count as documented, sync and async alike."""
    with grpc.insecure_channel(codes) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/codes/{name}")(b"", timeout=5)
    assert unhealthy(caught.value) is (name in SICK)

    async def call() -> None:
        async with grpc.aio.insecure_channel(codes) as channel:
            await channel.unary_unary(f"/codes/{name}")(b"", timeout=5)

    with pytest.raises(grpc.RpcError) as caught:
        asyncio.run(call())
    assert unhealthy(caught.value) is (name in SICK)


def test_grpc_transport(service, codes: str):
    """A refused connection, a deadline and a handler that raised count."""
    for target, method in (
        (f"127.0.0.1:{service.refusing}", "x"),
        (f"127.0.0.1:{service.silent}", "x"),
        (codes, "raise"),
    ):
        with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/codes/{method}")(b"", timeout=0.5)
        assert unhealthy(caught.value), repr(caught.value)
