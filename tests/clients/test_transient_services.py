"""`transient` against real clients of databases, caches, AWS and gRPC."""

import asyncio
import sqlite3

import asyncpg
import botocore.exceptions
import fakeredis
import grpc
import grpc.aio
import psycopg
import psycopg2
import psycopg_pool
import pytest
import redis
import redis.asyncio
import sqlalchemy
from seawall import transient

from tests.clients.aws import bucket


def test_redis_transaction_that_lost_the_race():
    """What WATCH found changed is worth another run; a command of the wrong type is not."""
    client = fakeredis.FakeRedis()
    with client.pipeline() as pipe:
        pipe.watch("stock")
        client.set("stock", 1)
        pipe.multi()
        pipe.set("stock", 2)
        with pytest.raises(redis.WatchError) as caught:
            pipe.execute()
    assert transient(caught.value)
    with pytest.raises(redis.ResponseError) as caught:
        client.lpush("stock", 1)
    assert not transient(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (redis.BusyLoadingError(), True),
        (redis.ReadOnlyError(), True),
        (redis.exceptions.ClusterDownError("down"), True),
        (redis.exceptions.TryAgainError(), True),
        (redis.sentinel.MasterNotFoundError(), True),
        (redis.AuthenticationError(), False),
        (redis.exceptions.NoScriptError(), False),
        (redis.DataError(), False),
    ],
    ids=repr,
)
def test_redis_answers(error: Exception, expected: bool):
    """Loading, failing over and moving keys pass; a bad password or command does not."""
    assert transient(error) is expected


STATES = [
    ("08006", True),  # connection failure
    ("40001", True),  # serialization failure
    ("40P01", True),  # deadlock
    ("53300", True),  # too many connections
    ("55006", True),  # object in use
    ("55P03", True),  # lock not available
    ("57014", True),  # statement timeout
    ("57P01", True),  # shutting down
    ("57P03", True),  # starting up
    ("23505", False),  # unique violation
    ("28P01", False),  # invalid password
    ("40002", False),  # transaction integrity constraint violation
    ("42P01", False),  # undefined table
    ("55000", False),  # object not in prerequisite state
    ("57P04", False),  # database dropped
    ("58P01", False),  # undefined file
    ("XX001", False),  # data corrupted
]


@pytest.mark.parametrize(("code", "expected"), STATES)
def test_sqlstates(code: str, expected: bool):
    """The server's code decides, alike in psycopg, psycopg2, asyncpg and SQLAlchemy over them."""
    by_psycopg = psycopg.errors.lookup(code)("said the server")
    by_asyncpg = asyncpg.PostgresError.new({"C": code, "M": "said the server"})
    by_psycopg2 = psycopg2.errors.lookup(code)("said the server")
    # As if unpickled: psycopg2 lets nobody else set the code.
    by_psycopg2.__setstate__({"pgcode": code})
    assert by_psycopg2.pgcode == by_asyncpg.sqlstate == code
    for error in (
        by_psycopg,
        by_asyncpg,
        by_psycopg2,
        sqlalchemy.exc.DBAPIError.instance("SELECT 1", {}, by_psycopg, psycopg.Error),
        sqlalchemy.exc.DBAPIError.instance("SELECT 1", {}, by_psycopg2, psycopg2.Error),
    ):
        assert transient(error) is expected, repr(error)


def test_sqlalchemy():
    """A connection that is gone and a pool that ran dry are of the moment; bad data is not."""
    gone = sqlalchemy.exc.DBAPIError("SELECT 1", {}, Exception("eof"), connection_invalidated=True)
    assert transient(gone)
    assert transient(sqlalchemy.exc.TimeoutError("QueuePool limit"))
    assert not transient(sqlalchemy.exc.DBAPIError("SELECT 1", {}, Exception("eof")))
    assert not transient(sqlalchemy.exc.IntegrityError("INSERT", {}, Exception("duplicate")))


def test_pools():
    """A pool that ran dry fills again; one that is closed stays so."""
    assert transient(psycopg_pool.PoolTimeout())
    assert not transient(psycopg_pool.PoolClosed())


def test_a_missing_table_of_sqlite_is_final():
    """Its class is OperationalError, as that of a lost connection is elsewhere."""
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError) as caught:
        connection.execute(sqlalchemy.text("SELECT * FROM nowhere"))
    engine.dispose()
    assert isinstance(caught.value.orig, sqlite3.OperationalError)
    assert not transient(caught.value)


@pytest.mark.parametrize(
    ("status", "expected"), [(500, True), (503, True), (429, True), (501, False), (404, False)]
)
def test_botocore_answers(service, status: int, expected: bool):
    """A ClientError is judged by the status in its response."""
    client = bucket(service.url(str(status)))
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        client.get_object(Bucket="b", Key="k")
    client.close()
    assert transient(caught.value) is expected, repr(caught.value)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ThrottlingException", True),
        ("ProvisionedThroughputExceededException", True),
        ("PriorRequestNotComplete", True),
        ("TransactionInProgressException", True),
        ("ConditionalCheckFailedException", False),
        ("ValidationException", False),
    ],
)
def test_aws_codes(code: str, expected: bool):
    """An AWS error code that means to come again later decides, whatever status came with it."""
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    assert transient(botocore.exceptions.ClientError(response, "PutItem")) is expected
    assert not transient(botocore.exceptions.NoCredentialsError())


AGAIN = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"}


@pytest.mark.parametrize("name", [code.name for code in grpc.StatusCode if code.name != "OK"])
def test_grpc_codes(codes: str, name: str):
    """Four codes of gRPC are transient, sync and async alike."""
    with grpc.insecure_channel(codes) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/codes/{name}")(b"", timeout=5)
    assert transient(caught.value) is (name in AGAIN)

    async def call() -> None:
        async with grpc.aio.insecure_channel(codes) as channel:
            await channel.unary_unary(f"/codes/{name}")(b"", timeout=5)

    with pytest.raises(grpc.RpcError) as caught:
        asyncio.run(call())
    assert transient(caught.value) is (name in AGAIN)


def test_grpc_transport(service, codes: str):
    """A refused connection and a deadline are tried again, a handler that raised is not."""
    for target, method, expected in (
        (f"127.0.0.1:{service.refusing}", "x", True),
        (f"127.0.0.1:{service.silent}", "x", True),
        (codes, "raise", False),
    ):
        with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/codes/{method}")(b"", timeout=0.5)
        assert transient(caught.value) is expected, repr(caught.value)
