"""Stores, and those who call: a thread, and tasks on each host."""

import inspect
import itertools

import pytest
from seawall import idempotency
from seawall.stores import open_store

from tests.hosts import HOSTS, pause

_spaces = itertools.count(1)


@pytest.fixture(scope="session")
def database(postgres):
    """A database for all tests here, each of which has a namespace of its own."""
    return postgres.database()


@pytest.fixture(params=["memory", "sqlite", "redis", "postgresql"])
def space(request, tmp_path):
    """Where the store of a test is, for `open_store`: nobody else's records are seen there."""
    if request.param == "memory":
        url = "memory://"
    elif request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/store.db?durability=relaxed"
    elif request.param == "redis":
        url = request.getfixturevalue("valkey").url()
    else:
        url = request.getfixturevalue("database")
    return {"url": url, "namespace": f"test-{next(_spaces)}"}


@pytest.fixture
def store(space):
    """An empty store."""
    with open_store(**space) as store:
        yield store


@pytest.fixture
def memory():
    """An empty store in memory: where its kind makes no difference."""
    with open_store("memory://") as store:
        yield store


class Caller:
    """Makes operations of plain bodies, and calls them in its own way."""

    def __init__(self, name):
        """Of a thread, or of tasks on a host."""
        self.name = name
        self._host = HOSTS.get(name)

    def operation(self, body, **settings):
        """A function that calls the operation with this body, from outside of any loop."""
        settings.setdefault("name", "test")
        decorate = idempotency.idempotent(**settings)
        if self._host is None:
            return decorate(body)

        async def task(*args, **kwargs):
            await pause()
            return body(*args, **kwargs)

        task.__signature__ = inspect.signature(body)
        protected = decorate(task)

        def call(*args, **kwargs):
            async def main():
                return await protected(*args, **kwargs)

            return self._host(main)

        call.idempotency = protected.idempotency
        return call

    def block(self, key, body, **settings):
        """What `body` answers, given the claim, in a block with this key."""
        if self._host is None:
            with idempotency.idempotency_key(key, **settings) as claim:
                return body(claim)

        async def main():
            async with idempotency.idempotency_key(key, **settings) as claim:
                await pause()
                return body(claim)

        return self._host(main)


@pytest.fixture(params=["thread", *HOSTS])
def caller(request):
    """A thread, or tasks on each host."""
    return Caller(request.param)
