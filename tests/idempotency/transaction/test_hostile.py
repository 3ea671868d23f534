"""Rows that are not as they were written, tables that are missing, and connections of no use."""

import contextlib
import sqlite3
import threading
from urllib.parse import quote

import asyncpg
import psycopg
import pytest
import seawall
import sqlalchemy
from seawall import OutcomeUnknownError
from seawall.errors import ConfigError
from seawall.idempotency.transaction.steps import sqlstate
from seawall.stores.errors import StoreDamagedError, StoreNewerError, StoreUnavailableError
from sqlalchemy import orm

from tests.idempotency.transaction.desks import AsyncCore, Core, run
from tests.idempotency.transaction.given import block
from tests.threads import in_threads


def charge(url, key="order-1", **changes):
    """Charges; whether it was charged before."""
    with psycopg.connect(url) as connection, block(connection, key, **changes) as claim:
        if not claim.replayed:
            connection.execute("INSERT INTO charges (what) VALUES ('1')")
            claim.complete("receipt")
        return claim.replayed and claim.result


def spoil(url, change):
    """Changes the row behind seawall's back."""
    with psycopg.connect(url) as connection:
        assert connection.execute(f"UPDATE seawall.transactions SET {change}").rowcount == 1


@pytest.mark.parametrize(
    "change",
    [
        "result = 'other'",
        "result = NULL",
        "codec = NULL",
        "codec = 2",
        "fingerprint = 'other'",
        "checksum = NULL",
        "checksum = 'short'",
        "state = 3",
        "state = 9",
        "state = -1",
    ],
)
def test_damaged(url, charges, change):
    """A row that is not as it was written is an error, and nothing is run."""
    charge(url)
    spoil(url, change)
    with pytest.raises(StoreDamagedError, match=r"order-1.*do not run the operation"):
        charge(url)
    assert charges() == ["1"]


def test_moved(url, charges):
    """Nor is the row of one operation taken for that of another."""
    charge(url)
    spoil(url, "id = convert_to(replace(convert_from(id, 'UTF8'), '-1', '-2'), 'UTF8')")
    with pytest.raises(StoreDamagedError, match="order-2"):
        charge(url, "order-2")
    assert charges() == ["1"]


def test_newer(url, charges):
    """A row of a newer version is an error that says so."""
    charge(url)
    spoil(url, "layout = 2")
    with pytest.raises(StoreNewerError, match="update seawall"):
        charge(url)
    assert charges() == ["1"]


def test_left_open(url, charges):
    """A row that says it was begun, which the table does not let others see, is never run over."""
    charge(url)
    spoil(url, "state = 1")
    with pytest.raises(OutcomeUnknownError):
        charge(url)
    assert charges() == ["1"]


def test_committed_in_the_middle(desk, url, charges):
    """A commit inside of the block fails, and undoes all of the transaction."""

    async def commits():
        one = desk()
        transaction = await one.begin()
        with pytest.raises(Exception, match=r"committed_inside_of_an_idempotency_block|forbidden"):
            async with one.within(block(transaction)):
                await one.write("1")
                await one.commit()
        with contextlib.suppress(Exception):
            await one.rollback()
        await one.close()

    run(commits())
    assert charges() == []
    assert charge(url) is False


@pytest.mark.parametrize("statement", ["ROLLBACK TO SAVEPOINT mine", "ROLLBACK"])
def test_rolled_back_within(url, charges, statement):
    """A block that went behind its own claim does not complete, and leaves nothing."""
    with psycopg.connect(url) as connection:
        connection.execute("SAVEPOINT mine")
        with pytest.raises(RuntimeError, match="leave the block first"), block(connection):
            connection.execute("INSERT INTO charges (what) VALUES ('1')")
            connection.execute(statement)
            if statement == "ROLLBACK":
                connection.execute("INSERT INTO charges (what) VALUES ('2')")
        connection.rollback()
    assert charges() == []
    assert charge(url) is False


def test_expired(desk, url, charges):
    """What has expired is forgotten: it runs again, once."""

    async def again(what):
        one = desk()
        async with one.transaction() as transaction, one.within(block(transaction)) as claim:
            if not claim.replayed:
                await one.write(what)
                claim.complete(what)
            return claim.replayed and claim.result

    assert run(again("1")) is False
    spoil(url, "expires = expires - 86400 * 1000000::int8")
    assert run(again("2")) is False
    assert run(again("3")) == "2"
    assert charges() == ["1", "2"]


def test_swept(url, charges):
    """What has expired is removed with all else when a store is swept, and nothing else is."""
    for at in range(5):
        charge(url, f"order-{at}")
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE seawall.transactions SET expires = 0 "
            "WHERE position('-3' IN encode(id, 'escape')) > 0"
        )
    with seawall.open_store(url, namespace="other") as store:
        assert store.gc() == 0
    with seawall.open_store(url) as store:
        assert store.gc(scope="other") == 0
        assert store.gc() == 1
        assert store.gc() == 0
    assert charge(url, "order-4") == "receipt"
    assert charge(url, "order-3") is False


def test_time_to_live(url):
    """A result is remembered for its time to live from its end on."""
    charge(url, ttl=100.0)
    with psycopg.connect(url) as connection:
        kept = connection.execute(
            "SELECT expires / 1e6 - extract(epoch FROM now()) FROM seawall.transactions"
        )
        assert 90 < kept.fetchone()[0] <= 100


@pytest.mark.parametrize("missing", ["TABLE seawall.transactions", "SCHEMA seawall CASCADE"])
def test_no_table(desk, url, charges, missing):
    """A missing table is an error that says how it is made; the transaction goes on."""
    with psycopg.connect(url) as connection:
        connection.execute(f"DROP {missing}")

    async def go_on():
        one = desk()
        async with one.transaction() as transaction:
            with pytest.raises(StoreUnavailableError, match="seawall store migrate"):
                async with one.within(block(transaction)):
                    raise AssertionError
            await one.write("after")

    run(go_on())
    assert charges() == ["after"]


def test_schemas(desk, url, charges):
    """A schema is one name, whatever it is called."""
    schemas = ['a"; DROP TABLE charges; --', "Größe", "a:b", "%s $1 :p1"]

    async def once(schema):
        one = desk()
        async with one.transaction() as transaction:
            async with one.within(block(transaction, schema=schema)) as claim:
                if not claim.replayed:
                    await one.write(f"{schemas.index(schema)}")

    for schema in schemas:
        with seawall.open_store(f"{url}?schema={quote(schema)}") as store:
            assert store.get("nothing") is None
        run(once(schema))
        run(once(schema))
    assert charges() == ["0", "1", "2", "3"]


def test_keys(desk, charges):
    """A key is bytes, whatever is in it."""
    keys = ["'; DROP TABLE charges; --", "\x00", "k" * 10_000_000, "\\x00 ☃", "\ud800", 7, b"\xff"]

    async def once(at):
        one = desk()
        async with one.transaction() as transaction:
            async with one.within(block(transaction, keys[at])) as claim:
                if not claim.replayed:
                    await one.write(str(at))
                    claim.complete({"key": at})
                return claim.replayed and claim.result

    for at in range(len(keys)):
        assert run(once(at)) is False
        assert run(once(at)) == {"key": at}
    assert charges() == [str(at) for at in range(len(keys))]


def test_no_transaction(url):
    """A connection that commits each statement by itself is refused; in a transaction it is not."""
    with psycopg.connect(url, autocommit=True) as connection:
        with pytest.raises(ConfigError, match="commits each statement by itself"):
            block(connection)
        with connection.transaction(), block(connection) as claim:
            assert not claim.replayed
        with connection.transaction(), block(connection) as claim:
            assert claim.replayed


def test_no_transaction_of_asyncpg(url):
    """Likewise of asyncpg, whose connections are so by nature."""

    async def refused():
        connection = await asyncpg.connect(url)
        try:
            with pytest.raises(ConfigError, match="commits each statement by itself"):
                block(connection)
        finally:
            await connection.close()

    run(refused())


@pytest.mark.parametrize("desk", [Core, AsyncCore])
def test_no_transaction_of_alchemy(url, desk):
    """Likewise of SQLAlchemy, where the isolation level says it."""

    async def refused():
        one = desk(url)
        async with one.transaction("autocommit") as transaction:
            with pytest.raises(ConfigError, match="commits each statement by itself"):
                async with one.within(block(transaction)):
                    raise AssertionError

    run(refused())


def test_strangers(tmp_path):
    """What is none of the connections that are known is refused, and those are named."""
    with sqlite3.connect(tmp_path / "file") as connection:
        with pytest.raises(
            ConfigError, match=r"<sqlite3\.Connection> must be a connection of psyc"
        ):
            block(connection)
    connection.close()
    with pytest.raises(ConfigError, match="NoneType"):
        block(None)
    engine = sqlalchemy.create_engine("sqlite://")
    with orm.Session(engine) as session, pytest.raises(ConfigError, match="of sqlite, and must"):
        block(session)
    engine.dispose()


def test_odd_connections(url):
    """Rows of another kind, cursors of another class and subclasses change nothing."""

    class Mine(psycopg.Connection):
        pass

    for attempt in range(2):
        connection = Mine.connect(
            url, row_factory=psycopg.rows.dict_row, cursor_factory=psycopg.ClientCursor
        )
        with connection, block(connection) as claim:
            assert claim.replayed is bool(attempt)


def test_read_only(url):
    """What the server refuses for other reasons is told as it says it."""
    with psycopg.connect(url) as connection:
        connection.read_only = True
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), block(connection):
            raise AssertionError


def test_deadlock(url):
    """Of two transactions that wait for each other the server ends one, which hears it as it is."""
    ready = threading.Barrier(2)

    def both(at):
        first, second = "ab" if at == 0 else "ba"
        try:
            with psycopg.connect(url) as connection, block(connection, first):
                ready.wait(20)
                with block(connection, second):
                    return "done"
        except psycopg.errors.DeadlockDetected as error:
            return sqlstate(error)

    assert sorted(in_threads(2, both)) == ["40P01", "done"]
