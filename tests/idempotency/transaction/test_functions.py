"""Functions that are done once in the transaction that is one of their arguments."""

import asyncio

import psycopg
import pytest
import seawall
import sqlalchemy
from sqlalchemy import orm

from tests.idempotency.transaction.desks import AsyncSession, Charge, Session, run


@seawall.idempotent(transaction="connection", name="charge")
def charge(connection: object, what: str, *, cents: int = 100) -> dict[str, int]:
    """Charges."""
    claim = seawall.current_claim()
    assert claim is not None
    assert (claim.fence, claim.attempt, claim.lost, claim.protected) == (0, 1, False, True)
    connection.execute("INSERT INTO charges (what) VALUES (%s)", [what])
    return {what: cents}


@seawall.idempotent(key=lambda session, order: order, transaction="session", name="order")
async def order(session, order):
    """Places an order."""
    session.add(Charge(what=order))
    await asyncio.sleep(0)
    return order


class Shop:
    """Has a method."""

    @seawall.idempotent(key=lambda self, order, session: order, transaction="session")
    def place(self, order, session):
        """Places an order."""
        session.execute(
            sqlalchemy.text("INSERT INTO charges (what) VALUES (:what)"), {"what": order}
        )
        return [order]


def test_arguments_are_the_key(url, charges):
    """Without a key the arguments are it, the connection left out, however they are given."""
    for _ in range(2):
        with psycopg.connect(url) as connection:
            assert charge(connection, "a") == {"a": 100}
            assert charge(what="a", connection=connection, cents=100) == {"a": 100}
            assert charge(connection, "b") == {"b": 100}
            assert charge(connection, "a", cents=1) == {"a": 1}
    assert charges() == ["a", "b", "a"]


def test_results_are_not_shared(url):
    """Each replay is an object of its own."""
    with psycopg.connect(url) as connection:
        charge(connection, "a")["a"] = 7
        charge(connection, "a")["a"] = 8
        assert charge(connection, "a") == {"a": 100}


def test_async(url, charges):
    """A coroutine function, and a session that is passed by name."""

    async def twice():
        for by_name in (False, True):
            one = AsyncSession(url)
            async with one.transaction() as session:
                given = {"session": session, "order": "1"}
                assert await (order(**given) if by_name else order(session, "1")) == "1"

    run(twice())
    assert charges() == ["1"]


def test_method(url, charges):
    """A method; `self` makes no difference."""
    for _ in range(2):
        engine = Session(url).engine(None)
        with orm.Session(engine) as session, session.begin():
            assert Shop().place("1", session) == ["1"]
    assert charges() == ["1"]


def test_error(url, charges):
    """An error undoes the call, goes on, and is not kept."""
    calls = []

    @seawall.idempotent(key=lambda connection: 1, transaction="connection", name="fails")
    def fails(connection):
        connection.execute("INSERT INTO charges (what) VALUES ('1')")
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError
        return "well"

    with psycopg.connect(url) as connection:
        with pytest.raises(ZeroDivisionError):
            fails(connection)
        assert fails(connection) == "well"
        assert fails(connection) == "well"
    assert charges() == ["1"]


def test_fingerprint(url):
    """The key of other arguments is refused."""

    @seawall.idempotent(key=lambda connection, what: 1, transaction="connection", name="other")
    def other(connection, what):
        return what

    with psycopg.connect(url) as connection:
        assert other(connection, "a") == "a"
        with pytest.raises(seawall.FingerprintMismatchError, match="other"):
            other(connection, "b")


def test_claims_verbs(url):
    """What a claim of a store can do and this can't is refused with what to do instead."""
    with psycopg.connect(url) as connection:
        with seawall.idempotency_key("1", transaction=connection) as claim:
            for verb in (claim.release, lambda: claim.fail(ValueError())):
                with pytest.raises(RuntimeError, match="raise an error out of it"):
                    verb()
            derived = claim.derived_key("mail")
            claim.complete(1)
            with pytest.raises(RuntimeError, match="was said already"):
                claim.complete(2)
        with seawall.idempotency_key("1", transaction=connection) as claim:
            assert claim.result == 1
            assert claim.derived_key("mail") == derived != claim.derived_key("letter")
            with pytest.raises(RuntimeError, match="completed before"):
                claim.complete(2)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    """Settings without a meaning, a store elsewhere and no connection are one error."""
    store = seawall.open_store("memory://")
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.idempotency_key(
            "1", transaction=7, store=store, lease=3, at_most_once=True, wait=-1
        )
    assert {problem.field for problem in caught.value.problems} == {
        "transaction",
        "store",
        "lease",
        "at_most_once",
        "wait",
    }
    with pytest.raises(seawall.ConfigError, match="must be the name of a parameter"):
        seawall.idempotent(transaction="conn", name="n")(lambda connection: None)


def test_events(url, told):
    """What happens is told as for other operations."""
    with psycopg.connect(url) as connection:
        for _ in range(2):
            with seawall.idempotency_key("k", transaction=connection, name="told", payload=1):
                pass
        with pytest.raises(seawall.FingerprintMismatchError):
            with seawall.idempotency_key("k", transaction=connection, name="told", payload=2):
                pass
        with pytest.raises(ZeroDivisionError):
            with seawall.idempotency_key("other", transaction=connection, name="told"):
                raise ZeroDivisionError
    kinds = [event.kind.removeprefix("idempotency.") for event in told if event.name == "told"]
    assert kinds == ["owned", "completed", "replayed", "mismatched", "owned", "released"]


def test_beside_stores(url):
    """Inside of a call of a store's operation, and the other way round, each knows its own."""
    store = seawall.open_store("memory://")
    with psycopg.connect(url) as connection:
        with seawall.idempotency_key("k", store=store) as outer:
            with seawall.idempotency_key("k", transaction=connection) as inner:
                assert not inner.replayed
                with seawall.idempotency_key("j", store=store) as innermost:
                    assert not innermost.replayed
                assert seawall.current_claim().key == inner.key
            assert seawall.current_claim().fence == outer.fence


def test_snapshot(url):
    """A function says what it is, and how many of its calls run."""
    seen = []

    @seawall.idempotent(key=lambda connection: 1, transaction="connection", name="seen")
    def look(connection):
        seen.append(look.idempotency.snapshot().in_flight)

    with psycopg.connect(url) as connection:
        look(connection)
    assert seen == [1]
    assert look.idempotency.snapshot().in_flight == 0
    assert "seawall.transactions" in repr(look.idempotency)
