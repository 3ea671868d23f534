"""The same state machine in memory and in a file, as one would write it by hand."""

import asyncio
import json
import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .orders import ATTEMPTS, DAY, LEASE, Calls, Contender, LostError, Order, charge, digest

BY_HAND = "by hand"
BARE = "bare statements"


def in_memory(_url: str) -> Calls:
    """A dict and a lock."""
    records: dict[str, list[Any]] = {}
    lock = threading.Lock()
    now = time.monotonic

    def call(order: Order) -> Any:
        key, fingerprint, owner = order["id"], digest(order), os.urandom(16)
        with lock:
            record = records.get(key)
            if record is None or record[0] == "released":
                fence = 1 if record is None else record[3] + 1
                records[key] = ["open", owner, fingerprint, fence, 1, now() + LEASE, None]
            elif record[2] != fingerprint:
                raise LostError
            elif record[0] == "done":
                return json.loads(record[6])
            elif record[5] > now() or record[4] >= ATTEMPTS:
                raise LostError
            else:
                fence = record[3] + 1
                records[key] = [
                    "open",
                    owner,
                    fingerprint,
                    fence,
                    record[4] + 1,
                    now() + LEASE,
                    None,
                ]
        value = charge(order)
        result = json.dumps(value)
        with lock:
            record = records[key]
            if record[0] != "open" or record[1] != owner or record[3] != fence:
                raise LostError
            record[0], record[6] = "done", result
        return value

    return Calls(call, call)


_TABLE = """CREATE TABLE IF NOT EXISTS by_hand (
    key TEXT PRIMARY KEY, state INTEGER NOT NULL, owner BLOB NOT NULL, fence INTEGER NOT NULL,
    attempts INTEGER NOT NULL, fingerprint BLOB NOT NULL, lease REAL, expires REAL, result TEXT
) WITHOUT ROWID"""
#: One statement, one transaction: claims what is new, released, or lost by its owner.
_CLAIM = """INSERT INTO by_hand VALUES (?1, 0, ?2, 1, 1, ?3, ?4 + 30, ?4 + 86400, NULL)
    ON CONFLICT (key) DO UPDATE SET state = 0, owner = ?2, fence = fence + 1,
        attempts = attempts + 1, lease = ?4 + 30, expires = ?4 + 86400
    WHERE fingerprint = ?3 AND (state = 2 OR (state = 0 AND lease <= ?4 AND attempts < 3))
    RETURNING fence"""
_KEPT = "SELECT state, fingerprint, result FROM by_hand WHERE key = ?"
_END = """UPDATE by_hand SET state = 1, result = ?4, expires = ?5
    WHERE key = ?1 AND owner = ?2 AND fence = ?3 AND state = 0"""


def _opened(url: str) -> sqlite3.Connection:
    """Beside seawall's file: two libraries in one process must not have one file open."""
    parts = urlsplit(url)
    full = parse_qs(parts.query).get("durability") == ["full"]
    connection = sqlite3.connect(
        Path(parts.path).with_suffix(".by-hand"),
        isolation_level=None,
        check_same_thread=False,
        timeout=30,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
    connection.execute(_TABLE)
    return connection


def _in_file(connection: sqlite3.Connection) -> Any:
    execute = connection.execute

    def call(order: Order) -> Any:
        key, fingerprint, owner = order["id"], digest(order), os.urandom(16)
        given = execute(_CLAIM, (key, owner, fingerprint, time.time())).fetchall()
        if not given:
            state, theirs, result = execute(_KEPT, (key,)).fetchone()
            if theirs != fingerprint or state != 1:
                raise LostError
            return json.loads(result)
        value = charge(order)
        ended = (key, owner, given[0][0], json.dumps(value), time.time() + DAY)
        if execute(_END, ended).rowcount != 1:
            raise LostError
        return value

    return call


def in_file(url: str) -> Calls:
    """sqlite3, one statement a verb."""
    connection = _opened(url)
    call = _in_file(connection)
    return Calls(call, call, close=connection.close)


async def in_file_tasks(url: str) -> Calls:
    """In a thread of its own, for there is no other way that lets the loop go on."""
    connection = _opened(url)
    call, thread = _in_file(connection), ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()

    async def task(order: Order) -> Any:
        return await loop.run_in_executor(thread, call, order)

    def close() -> None:
        thread.shutdown()
        connection.close()

    return Calls(task, task, close=close)


def bare_file(url: str) -> Calls:
    """The two writes that a pair can't do without, and the read of a replay."""
    execute = _opened(url).execute
    owner, fingerprint, now = bytes(16), bytes(32), time.time()

    def pair(order: Order) -> Any:
        row = (order["id"], 0, owner, 1, 1, fingerprint, now, now, None)
        execute("INSERT INTO by_hand VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        execute("UPDATE by_hand SET state = 1, result = ? WHERE key = ?", ("{}", order["id"]))

    def replay(order: Order) -> Any:
        return execute(_KEPT, (order["id"],)).fetchone()

    return Calls(pair, replay)


IN_MEMORY = {BY_HAND: Contender(in_memory)}
IN_FILE = {BY_HAND: Contender(in_file, in_file_tasks), BARE: Contender(bare_file)}
