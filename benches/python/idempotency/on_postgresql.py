"""The same state machine as statements of psycopg 3."""

import json
import os
from importlib import import_module
from typing import Any

from .orders import Calls, Contender, LostError, Order, charge, digest

BY_HAND = "psycopg, by hand"
BARE = "bare round trips"
BARE_WRITES = "bare writes"

_TABLE = """CREATE TABLE IF NOT EXISTS by_hand (
    key text PRIMARY KEY, state smallint NOT NULL, owner bytea NOT NULL, fence bigint NOT NULL,
    attempts integer NOT NULL, fingerprint bytea NOT NULL, lease timestamptz, expires timestamptz,
    result text) WITH (fillfactor = 70)"""
_CLAIM = """INSERT INTO by_hand VALUES (%s, 0, %s, 1, 1, %s, clock_timestamp() + interval '30 s',
        clock_timestamp() + interval '1 day', NULL)
    ON CONFLICT (key) DO UPDATE SET state = 0, owner = excluded.owner, fence = by_hand.fence + 1,
        attempts = by_hand.attempts + 1, lease = excluded.lease, expires = excluded.expires
    WHERE by_hand.fingerprint = excluded.fingerprint AND (by_hand.state = 2 OR (by_hand.state = 0
        AND by_hand.lease <= clock_timestamp() AND by_hand.attempts < 3))
    RETURNING fence"""
_KEPT = "SELECT state, fingerprint, result FROM by_hand WHERE key = %s"
_END = """UPDATE by_hand SET state = 1, result = %s, expires = clock_timestamp() + interval '1 day'
    WHERE key = %s AND owner = %s AND fence = %s AND state = 0"""
_INSERT = "INSERT INTO by_hand VALUES (%s, 0, ''::bytea, 1, 1, ''::bytea, NULL, NULL, NULL)"
_UPDATE = "UPDATE by_hand SET state = 1, result = '{}' WHERE key = %s"


def _cursor(url: str) -> Any:
    """Of one connection; statements are prepared, which behind a pooler they could not be."""
    psycopg = import_module("psycopg")
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
    _make_table(connection)
    return connection.cursor(binary=True)


def _make_table(connection: Any) -> None:
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7)")
        connection.execute(_TABLE)


def _replayed(row: Any, fingerprint: bytes) -> Any:
    state, theirs, result = row
    if theirs != fingerprint or state != 1:
        raise LostError
    return json.loads(result)


def by_hand(url: str) -> Calls:
    """One statement a verb."""
    cursor = _cursor(url)
    execute = cursor.execute

    def call(order: Order) -> Any:
        key, fingerprint, owner = order["id"], digest(order), os.urandom(16)
        given = execute(_CLAIM, (key, owner, fingerprint)).fetchone()
        if given is None:
            return _replayed(execute(_KEPT, (key,)).fetchone(), fingerprint)
        value = charge(order)
        if execute(_END, (json.dumps(value), key, owner, given[0])).rowcount != 1:
            raise LostError
        return value

    return Calls(call, call, close=cursor.connection.close)


async def by_hand_tasks(url: str) -> Calls:
    """The same in tasks."""
    psycopg = import_module("psycopg")
    _cursor(url).connection.close()
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0)
    cursor = connection.cursor(binary=True)
    execute = cursor.execute

    async def call(order: Order) -> Any:
        key, fingerprint, owner = order["id"], digest(order), os.urandom(16)
        await execute(_CLAIM, (key, owner, fingerprint))
        given = await cursor.fetchone()
        if given is None:
            await execute(_KEPT, (key,))
            return _replayed(await cursor.fetchone(), fingerprint)
        value = charge(order)
        await execute(_END, (json.dumps(value), key, owner, given[0]))
        if cursor.rowcount != 1:
            raise LostError
        return value

    return Calls(call, call, close=connection.close)


def bare(url: str) -> Calls:
    """Two statements that do nothing, for a pair; one for a replay."""
    execute = _cursor(url).execute

    def once(_order: Order) -> Any:
        return execute("SELECT 1").fetchone()

    def pair(order: Order) -> Any:
        once(order)
        return once(order)

    return Calls(pair, once)


async def bare_tasks(url: str) -> Calls:
    """The same in tasks."""
    psycopg = import_module("psycopg")
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0)
    cursor = connection.cursor(binary=True)

    async def once(_order: Order) -> Any:
        await cursor.execute("SELECT 1")
        return await cursor.fetchone()

    async def pair(order: Order) -> Any:
        await once(order)
        return await once(order)

    return Calls(pair, once)


def bare_writes(url: str) -> Calls:
    """The two writes that a pair can't do without, and the read of a replay."""
    execute = _cursor(url).execute

    def pair(order: Order) -> Any:
        execute(_INSERT, (order["id"],))
        execute(_UPDATE, (order["id"],))

    def replay(order: Order) -> Any:
        return execute(_KEPT, (order["id"],)).fetchone()

    return Calls(pair, replay)


CONTENDERS = {
    BY_HAND: Contender(by_hand, by_hand_tasks),
    BARE_WRITES: Contender(bare_writes),
    BARE: Contender(bare, bare_tasks),
}
