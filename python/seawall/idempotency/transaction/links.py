"""The user's connections and sessions, and how each is asked.

None of their packages is imported: an object is known by the name of its class and of the package
that defines it, or those of a class that it inherits from. Methods of the asynchronous ones answer
with awaitables, and what is written for one of them is right for all: see
`seawall.idempotency.transaction.steps`.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple, Protocol, TypeAlias

from seawall.errors import ConfigError
from seawall.idempotency.transaction.statements import named

Row: TypeAlias = tuple[Any, ...]


class Link(Protocol):
    """A transaction of the user's. What its methods return is awaited where `is_async` is true."""

    is_async: bool

    def refusal(self) -> str | None:
        """Why nothing can be done in it, if the connection knows by itself."""

    def begin(self) -> Any:
        """Sets a savepoint; answers with what stands for it."""

    def fetch(self, statement: str, values: tuple[Any, ...]) -> Any:
        """The row that a statement answers with; None: none."""

    def keep(self, savepoint: Any) -> Any:
        """Releases a savepoint: what was done since is the transaction's."""

    def undo(self, savepoint: Any) -> Any:
        """Goes back to a savepoint: what was done since is undone."""


NO_TRANSACTION = "commits each statement by itself here: begin a transaction around it"
UNKNOWN = "must be a connection of psycopg 3 or asyncpg, or a connection or session of SQLAlchemy 2"
ABORTED = "was aborted by an error before: roll it back, and begin another"

# `psycopg.pq.TransactionStatus`.
_IDLE, _IN_ERROR = 0, 3


class _Undone(Exception):
    """What a savepoint of psycopg's is left with, so that it goes back."""


class _Psycopg:
    """A connection of psycopg 3."""

    is_async = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def refusal(self) -> str | None:
        status = self._connection.info.transaction_status
        if status == _IN_ERROR:
            return ABORTED
        # One that does not commit by itself begins a transaction with its first words.
        return NO_TRANSACTION if status == _IDLE and self._connection.autocommit else None

    def begin(self) -> Any:
        if self._connection.info.transaction_status == _IDLE:
            # Otherwise it would take the savepoint for the transaction, and commit in its end.
            self.fetch("SELECT 1", ())
        savepoint = self._connection.transaction()
        try:
            savepoint.__enter__()
        except BaseException:
            # It counts as entered, and the connection would refuse to commit for ever.
            self.undo(savepoint)
            raise
        return savepoint

    def fetch(self, statement: str, values: tuple[Any, ...]) -> Any:
        with self._cursor("RawCursor") as cursor:
            return cursor.execute(statement, values).fetchone()

    def keep(self, savepoint: Any) -> Any:
        savepoint.__exit__(None, None, None)

    def undo(self, savepoint: Any) -> Any:
        savepoint.__exit__(_Undone, _Undone(), None)

    def _cursor(self, name: str) -> Any:
        # Of a class and with rows of our own, whatever the connection's are.
        cls = getattr(sys.modules["psycopg"], name)
        return cls(self._connection, row_factory=_rows)


class _AsyncPsycopg(_Psycopg):
    """Its asynchronous one."""

    is_async = True

    async def begin(self) -> Any:
        if self._connection.info.transaction_status == _IDLE:
            await self.fetch("SELECT 1", ())
        savepoint = self._connection.transaction()
        try:
            await savepoint.__aenter__()
        except BaseException:
            await self.undo(savepoint)
            raise
        return savepoint

    async def fetch(self, statement: str, values: tuple[Any, ...]) -> Any:
        async with self._cursor("AsyncRawCursor") as cursor:
            await cursor.execute(statement, values)
            return await cursor.fetchone()

    async def keep(self, savepoint: Any) -> Any:
        await savepoint.__aexit__(None, None, None)

    async def undo(self, savepoint: Any) -> Any:
        await savepoint.__aexit__(_Undone, _Undone(), None)


def _rows(_cursor: Any) -> Any:
    return tuple


class _Asyncpg:
    """A connection of asyncpg, or what its pool lends."""

    is_async = True

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def refusal(self) -> str | None:
        return None if self._connection.is_in_transaction() else NO_TRANSACTION

    async def begin(self) -> Any:
        savepoint = self._connection.transaction()
        await savepoint.start()
        return savepoint

    async def fetch(self, statement: str, values: tuple[Any, ...]) -> Any:
        return await self._connection.fetchrow(statement, *values)

    async def keep(self, savepoint: Any) -> Any:
        await savepoint.commit()

    async def undo(self, savepoint: Any) -> Any:
        await savepoint.rollback()


class _Alchemy:
    """A connection or session of SQLAlchemy's, over whatever driver."""

    is_async = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def refusal(self) -> str | None:
        bound = self._connection
        dialect = (bound if hasattr(bound, "dialect") else bound.get_bind()).dialect.name
        return None if dialect == "postgresql" else f"is of {dialect}, and must be of PostgreSQL"

    def begin(self) -> Any:
        return self._connection.begin_nested()

    def fetch(self, statement: str, values: tuple[Any, ...]) -> Any:
        return _read(self._connection.execute(*_said(statement, values)))

    def keep(self, savepoint: Any) -> Any:
        try:
            savepoint.commit()
        except BaseException:
            # A session writes what it holds back only now, and that may fail.
            savepoint.rollback()
            raise

    def undo(self, savepoint: Any) -> Any:
        savepoint.rollback()


class _AsyncAlchemy(_Alchemy):
    """Its asynchronous ones."""

    is_async = True

    async def begin(self) -> Any:
        return await self._connection.begin_nested()

    async def fetch(self, statement: str, values: tuple[Any, ...]) -> Any:
        return _read(await self._connection.execute(*_said(statement, values)))

    async def keep(self, savepoint: Any) -> Any:
        try:
            await savepoint.commit()
        except BaseException:
            await savepoint.rollback()
            raise

    async def undo(self, savepoint: Any) -> Any:
        await savepoint.rollback()


def _said(statement: str, values: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
    text = sys.modules["sqlalchemy"].text
    return text(named(statement)), {f"p{at}": value for at, value in enumerate(values, 1)}


def _read(answer: Any) -> Row | None:
    row = answer.one_or_none()
    if row is None:
        return None
    # psycopg2 has bytes as views.
    values: list[Any] = list(row)
    return tuple(bytes(one) if type(one) is memoryview else one for one in values)


class _Kind(NamedTuple):
    package: str
    name: str
    link: type[Any]


_KINDS = {
    (kind.package, kind.name): kind.link
    for kind in (
        _Kind("psycopg", "Connection", _Psycopg),
        _Kind("psycopg", "AsyncConnection", _AsyncPsycopg),
        _Kind("asyncpg", "Connection", _Asyncpg),
        _Kind("asyncpg", "PoolConnectionProxy", _Asyncpg),
        _Kind("sqlalchemy", "Connection", _Alchemy),
        _Kind("sqlalchemy", "Session", _Alchemy),
        _Kind("sqlalchemy", "scoped_session", _Alchemy),
        _Kind("sqlalchemy", "AsyncConnection", _AsyncAlchemy),
        _Kind("sqlalchemy", "AsyncSession", _AsyncAlchemy),
        _Kind("sqlalchemy", "async_scoped_session", _AsyncAlchemy),
    )
}


def link(transaction: object) -> Link:
    """How a user's connection or session is asked.

    Raises:
        ConfigError: It is none that is known, or is in no transaction.
    """
    for cls in type(transaction).__mro__:
        found = _KINDS.get((cls.__module__.partition(".")[0], cls.__name__))
        if found is not None:
            known: Link = found(transaction)
            rule = known.refusal()
            break
    else:
        raise refused(transaction, UNKNOWN)
    if rule is not None:
        raise refused(transaction, rule)
    return known


def refused(transaction: object, rule: str) -> ConfigError:
    """The error that says why nothing can be done in a transaction."""
    cls = type(transaction)
    shown = f"<{cls.__module__}.{cls.__qualname__}>"
    return ConfigError("idempotency", [("transaction", shown, rule, None)])
