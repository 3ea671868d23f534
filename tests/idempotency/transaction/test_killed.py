"""Clients and servers that are killed at the worst moment: one effect, or none yet; never two."""

import random
import subprocess
import sys
import time

import psycopg
import pytest
import seawall

from tests.idempotency.transaction.desks import DESKS, run
from tests.idempotency.transaction.given import block

KINDS = ["psycopg", "asyncpg", "alchemy async session"]


def client(kind, url, count=1, stop="never"):
    """A process that charges."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.idempotency.transaction.client", kind, url, str(count), stop],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def killed(process):
    """Kills it."""
    process.kill()
    process.communicate(timeout=30)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_client(kind, moment, url, charges):
    """Killed before its commit it has done nothing, killed after it everything; then once more."""
    first = client(kind, url, stop=moment)
    assert first.stdout.readline() == ("written\n" if moment == "before" else "committed\n")
    killed(first)
    with client(kind, url) as second:
        assert second.communicate(timeout=30)[0] == "done\n"
    assert charges() == ["order-0"]


@pytest.mark.parametrize("kind", KINDS)
def test_client_while_others_wait(kind, url, charges):
    """Who waits for a client that is killed goes on at once, and charges."""
    first = client(kind, url, stop="before")
    assert first.stdout.readline() == "written\n"
    with client(kind, url) as second:
        killed(first)
        assert second.communicate(timeout=30)[0] == "done\n"
    assert charges() == ["order-0"]


@pytest.mark.parametrize("kind", KINDS)
def test_server(kind, own_postgres):
    """A server that is killed before a commit has forgotten it; what was committed it knows."""
    url = own_postgres.database()
    with seawall.open_store(url) as store:
        assert store.get("nothing") is None
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE charges (id serial PRIMARY KEY, what text)")

    async def charge(key, before_the_end=None):
        desk = DESKS[kind](url)
        async with desk.transaction() as transaction:
            async with desk.within(block(transaction, key)) as claim:
                if not claim.replayed:
                    await desk.write(key)
                    claim.complete(key)
                came = claim.replayed and claim.result
            if before_the_end:
                before_the_end()
        return came

    assert run(charge("committed")) is False
    with pytest.raises(Exception):  # noqa: B017, PT011  each driver has its own
        run(charge("lost", own_postgres.kill))
    own_postgres.restart()
    assert run(charge("committed")) == "committed"
    assert run(charge("lost")) is False
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT what FROM charges ORDER BY what").fetchall()
    assert found == [("committed",), ("lost",)]


def test_many_kills(url, charges):
    """Clients are killed at random moments, then one ends: each operation took effect once."""
    count, kills = 100, 0
    for _ in range(5):
        clients = [client(kind, url, count) for kind in ("psycopg", "asyncpg")]
        for one in clients:
            # Real time: a kill is only of use at a moment that nobody chose.
            time.sleep(random.uniform(0, 0.05))
            kills += one.poll() is None
            killed(one)
    with client("psycopg", url, count) as last:
        assert last.communicate(timeout=30)[0] == "done\n"
    assert sorted(charges()) == sorted(f"order-{at}" for at in range(count))
    assert kills > 0
