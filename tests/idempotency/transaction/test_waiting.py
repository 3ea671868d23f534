"""Transactions with the same key at the same time: one goes on, the others wait for its end."""

import asyncio
import os
import subprocess
import sys
import threading

import psycopg
import pytest
import seawall
from seawall import OperationInProgressError
from seawall.idempotency.transaction.steps import sqlstate

from tests.idempotency.transaction.desks import DESKS, AsyncPsycopg, Desk, run
from tests.idempotency.transaction.given import block
from tests.threads import in_threads, until

WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def waiters(url):
    """How many wait for a lock in this database."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            WAITERS + " AND datname = current_database()",
        ).fetchone()[0]


async def charge(desk, what, **changes):
    """Charges in a transaction of its own; who charged."""
    async with desk.transaction() as transaction:
        async with desk.within(block(transaction, **changes)) as claim:
            if claim.replayed:
                return claim.result
            await desk.write(what)
            claim.complete(what)
    return what


@pytest.fixture
def first(desk, url):
    """A transaction at the operation; a second may come and wait. `end(how)` ends the first."""

    class First:
        def __init__(self):
            self.second = None

        async def during(self, how, **changes):
            """Ends the first in one way while the second waits; what the second came to."""
            one = desk()
            transaction = await one.begin()
            async with one.within(block(transaction)) as claim:
                await one.write("first")
                claim.complete("first")
            came = []
            thread = threading.Thread(
                target=lambda: came.append(run(charge(desk(), "second", **changes)))
            )
            thread.start()
            await asyncio.to_thread(until, lambda: waiters(url) == 1)
            await getattr(one, how)()
            await one.close()
            await asyncio.to_thread(thread.join, 30)
            return came[0]

    return First()


def test_commit(first, charges):
    """Who comes meanwhile waits, and is given the result when the first is committed."""
    assert run(first.during("commit")) == "first"
    assert charges() == ["first"]


def test_rollback(first, charges):
    """When the first is rolled back, who waited runs."""
    assert run(first.during("rollback")) == "second"
    assert charges() == ["second"]


@pytest.mark.parametrize("how", ["wait", "deadline", "refuse"])
def test_too_long(desk, charges, how):
    """Who has waited for as long as it may is refused; its transaction goes on."""

    async def both():
        one, two = desk(), desk()
        changes = {"wait": 0.05} if how == "wait" else {}
        if how == "refuse":
            changes = {"on_conflict": "refuse"}
        async with one.transaction() as transaction:
            async with one.within(block(transaction)):
                async with two.transaction() as other:
                    await two.write("before")
                    with pytest.raises(OperationInProgressError, match="order-1") as caught:
                        with seawall.deadline(0.05 if how == "deadline" else 30):
                            async with two.within(block(other, **changes)):
                                raise AssertionError
                    await two.write("after")
        return caught.value

    error = run(both())
    expected = {"wait": "waited", "deadline": "deadline", "refuse": "refused"}
    assert (error.why, error.retry_after) == (expected[how], 0.0)
    assert charges() == ["before", "after"]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_stricter_levels(desk, charges, level):
    """Above READ COMMITTED, the server tells who waited to run its transaction once more."""

    async def both():
        one, two = desk(), desk()
        other = await two.begin(level)
        # With its first look it has seen all that it will ever see.
        assert await two.ask("SELECT count(*) FROM charges") == 0
        assert await charge(one, "first") == "first"
        with pytest.raises(Exception, match="could not serialize") as caught:
            async with two.within(block(other)):
                raise AssertionError
        await two.rollback()
        await two.close()
        return sqlstate(caught.value), await charge(desk(), "second")

    assert run(both()) == ("40001", "first")
    assert charges() == ["first"]


def test_stricter_levels_replay(desk, charges):
    """What was committed before such a transaction began is replayed to it."""

    async def both():
        await charge(desk(), "first")
        two = desk()
        async with two.transaction("serializable") as other:
            async with two.within(block(other)) as claim:
                return claim.replayed and claim.result

    assert run(both()) == "first"


def test_a_hundred_threads(url, charges):
    """Of a hundred at once in threads one charges, and all are given its result."""
    came = in_threads(100, lambda at: run(charge(Desk(url), str(at))))
    assert len(set(came)) == 1
    assert charges() == came[:1]


def test_a_hundred_tasks(url, charges):
    """And in tasks."""

    async def all_of_them():
        return await asyncio.gather(*(charge(AsyncPsycopg(url), str(at)) for at in range(100)))

    came = run(all_of_them())
    assert len(set(came)) == 1
    assert charges() == came[:1]


CHILD = """
import asyncio, sys
sys.path.insert(0, {root!r})
from tests.idempotency.transaction.desks import DESKS, run
from tests.idempotency.transaction.test_waiting import charge
from tests.threads import in_threads

desk = DESKS[{desk!r}]
print("ready", flush=True)
sys.stdin.readline()
came = in_threads(25, lambda at: run(charge(desk({url!r}), f"{{sys.argv[1]}}-{{at}}")))
print(*set(came), flush=True)
"""


@pytest.mark.parametrize("kind", ["psycopg", "asyncpg"])
def test_a_hundred_in_processes(kind, url, charges):
    """And in four processes."""
    program = CHILD.format(root=os.getcwd(), desk=kind, url=url)  # noqa: PTH109
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(at)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for at in range(4)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    came = set()
    for child in children:
        came.update(child.communicate(timeout=50)[0].split())
        assert child.returncode == 0
    assert charges() == [*came]


# A thread that waits in a synchronous driver can't be cancelled.
@pytest.mark.parametrize("desk", [kind for kind in DESKS if DESKS[kind].is_async], indirect=True)
def test_cancelled(desk, url, charges):
    """A task that is cancelled while it waits leaves its transaction as it was."""

    async def both():
        one, two = desk(), desk()
        async with one.transaction() as transaction, one.within(block(transaction)) as claim:
            await one.write("first")
            claim.complete("first")

            async def wait():
                async with two.within(block(await two.begin())):
                    raise AssertionError

            task = asyncio.create_task(wait())
            await asyncio.to_thread(until, lambda: waiters(url) == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(until, lambda: waiters(url) == 0)
        return await charge(desk(), "second"), await two.close()

    assert run(both())[0] == "first"
    assert charges() == ["first"]
