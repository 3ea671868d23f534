"""Each driver, with one face: who tests asks a desk to begin, write, commit and roll back.

What a synchronous driver does is done at once inside of these coroutines, so that a test is written
once for all of them.
"""

import asyncio
import contextlib

import asyncpg
import psycopg
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as alchemy

WRITE = "INSERT INTO charges (what) VALUES ('{}')"


class Desk:
    """A connection, by psycopg."""

    is_async = False

    def __init__(self, url):
        self.url = url

    async def begin(self, level=None):
        """What the user has open, in a transaction."""
        self.open = psycopg.connect(self.url)
        self.open.isolation_level = (
            level and psycopg.IsolationLevel[level.upper().replace(" ", "_")]
        )
        return self.open

    async def write(self, what):
        """Has an effect."""
        self.open.execute(WRITE.format(what))

    async def ask(self, statement):
        """One value."""
        return self.open.execute(statement).fetchone()[0]

    async def commit(self):
        """Ends it well."""
        self.open.commit()

    async def rollback(self):
        """Ends it otherwise."""
        self.open.rollback()

    async def close(self):
        """Closes it."""
        self.open.close()

    @contextlib.asynccontextmanager
    async def within(self, block):
        """The block, entered and left as its driver's are."""
        if self.is_async:
            async with block as claim:
                yield claim
        else:
            with block as claim:
                yield claim

    @contextlib.asynccontextmanager
    async def transaction(self, level=None):
        """A transaction from its beginning to its end."""
        await self.begin(level)
        try:
            try:
                yield self.open
            except BaseException:
                await self.rollback()
                raise
            await self.commit()
        finally:
            await self.close()


class AsyncPsycopg(Desk):
    """Its asynchronous one."""

    is_async = True

    async def begin(self, level=None):
        self.open = await psycopg.AsyncConnection.connect(self.url)
        if level:
            await self.open.set_isolation_level(
                psycopg.IsolationLevel[level.upper().replace(" ", "_")]
            )
        return self.open

    async def write(self, what):
        await self.open.execute(WRITE.format(what))

    async def ask(self, statement):
        return (await (await self.open.execute(statement)).fetchone())[0]

    async def commit(self):
        await self.open.commit()

    async def rollback(self):
        await self.open.rollback()

    async def close(self):
        await self.open.close()


class Asyncpg(Desk):
    """A connection of asyncpg's."""

    is_async = True

    async def begin(self, level=None):
        self.open = await asyncpg.connect(self.url)
        isolation = level and level.replace(" ", "_")
        self.outer = self.open.transaction(isolation=isolation)
        await self.outer.start()
        return self.open

    async def write(self, what):
        await self.open.execute(WRITE.format(what))

    async def ask(self, statement):
        return await self.open.fetchval(statement)

    async def commit(self):
        await self.outer.commit()

    async def rollback(self):
        await self.outer.rollback()

    async def close(self):
        await self.open.close()


class Pooled(Asyncpg):
    """What a pool of asyncpg's lends."""

    async def begin(self, level=None):
        self.pool = await asyncpg.create_pool(self.url, min_size=1, max_size=1)
        self.open = await self.pool.acquire()
        self.outer = self.open.transaction(isolation=level and level.replace(" ", "_"))
        await self.outer.start()
        return self.open

    async def close(self):
        await self.pool.release(self.open)
        await self.pool.close()


class Core(Desk):
    """A connection of SQLAlchemy's over psycopg."""

    driver = "psycopg"

    def engine(self, level):
        """One without a pool."""
        url = self.url.replace("postgresql:", f"postgresql+{self.driver}:")
        make = alchemy.create_async_engine if self.is_async else sqlalchemy.create_engine
        more = {"isolation_level": level.upper()} if level else {}
        return make(url, poolclass=sqlalchemy.NullPool, **more)

    async def begin(self, level=None):
        self.open = self.engine(level).connect()
        return self.open

    async def write(self, what):
        self.open.execute(sqlalchemy.text(WRITE.format(what)))

    async def ask(self, statement):
        return self.open.execute(sqlalchemy.text(statement)).scalar()


class OldCore(Core):
    """Over psycopg2."""

    driver = "psycopg2"


class Charge(orm.declarative_base()):
    """An effect as an object."""

    __tablename__ = "charges"
    id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    what = sqlalchemy.Column(sqlalchemy.Text)


class Session(Core):
    """A session of SQLAlchemy's, which holds back what it writes."""

    async def begin(self, level=None):
        self.open = orm.Session(self.engine(level))
        return self.open

    async def write(self, what):
        self.open.add(Charge(what=what))


class AsyncCore(AsyncPsycopg):
    """A connection of SQLAlchemy's over asyncpg."""

    driver = "asyncpg"
    engine = Core.engine

    async def begin(self, level=None):
        self.open = await self.engine(level).connect()
        return self.open

    async def write(self, what):
        await self.open.execute(sqlalchemy.text(WRITE.format(what)))

    async def ask(self, statement):
        return (await self.open.execute(sqlalchemy.text(statement))).scalar()


class AsyncSession(AsyncCore):
    """A session of it."""

    async def begin(self, level=None):
        self.open = alchemy.AsyncSession(self.engine(level))
        return self.open

    async def write(self, what):
        self.open.add(Charge(what=what))


class AsyncCoreOverPsycopg(AsyncCore):
    """A connection of SQLAlchemy's over psycopg."""

    driver = "psycopg"


DESKS = {
    "psycopg": Desk,
    "psycopg async": AsyncPsycopg,
    "asyncpg": Asyncpg,
    "asyncpg pool": Pooled,
    "alchemy": Core,
    "alchemy psycopg2": OldCore,
    "alchemy session": Session,
    "alchemy async": AsyncCore,
    "alchemy async psycopg": AsyncCoreOverPsycopg,
    "alchemy async session": AsyncSession,
}


def run(main):
    """Runs a scenario."""
    return asyncio.run(main)
