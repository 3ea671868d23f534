"""The stores that are tortured: each has a server or a file of its own."""

import contextlib

from tests.servers import Postgres, Valkey


class Site:
    """A store, and what can happen to its server."""

    def __init__(self, name, url, server=None):
        """Where it is."""
        self.name = name
        self.url = url
        self.server = server


@contextlib.contextmanager
def _file(name, folder):
    durability = name.partition(" ")[2]
    yield Site(name, f"sqlite:///{folder}/store.db?durability={durability}")


@contextlib.contextmanager
def _redis(name, folder):
    with Valkey() as server:
        yield Site(name, server.url(), server)


@contextlib.contextmanager
def _postgresql(name, folder):
    with Postgres() as server:
        yield Site(name, server.url(), server)


#: By the name that a report has for them.
SITES = {
    "sqlite relaxed": _file,
    "sqlite full": _file,
    "redis": _redis,
    "postgresql": _postgresql,
}
