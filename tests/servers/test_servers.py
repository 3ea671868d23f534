"""The servers of the tests."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from tests import needs
from tests.servers import Postgres, Valkey
from tests.threads import until

pytestmark = needs.proc
SERVERS = {"postgresql": Postgres, "valkey": Valkey}


@pytest.fixture(params=SERVERS)
def server(request):
    """Each of them."""
    with SERVERS[request.param]() as server:
        yield server


def kept(server, value=None):
    """What a server was given to keep, after it is given something."""
    if isinstance(server, Valkey):
        with redis.Redis.from_url(server.url()) as client:
            if value is not None:
                client.set("kept", value)
            return int(client.get("kept"))
    with psycopg.connect(server.url(), connect_timeout=10) as connection:
        if value is not None:
            connection.execute("CREATE TABLE kept (value int)")
            connection.execute("INSERT INTO kept VALUES (%s)", (value,))
        return connection.execute("SELECT value FROM kept").fetchone()[0]


def alive(pid):
    """Whether a process runs: one that has ended and waits for its parent does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_killed(server):
    """What a server was given is there after it was killed and started again, at the same place."""
    kept(server, 7)
    pids, url = server.pids(), server.url()
    server.kill()
    until(lambda: not any(map(alive, pids)))
    assert not server.is_ready()
    server.restart()
    assert server.url() == url
    assert kept(server) == 7


def test_paused(server):
    """One that is stopped answers nothing until it goes on."""
    server.pause()
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import socket,sys; s=socket.create_connection(('127.0.0.1', "
            f"{server.port})); s.sendall(b'PING\\r\\n'); print('sent', flush=True); s.recv(9)",
        ],
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"sent\n"
        with pytest.raises(subprocess.TimeoutExpired):
            # Real time: nothing tells that something never comes.
            process.wait(0.2)
        process.kill()
    server.resume()
    server.wait()


def test_stopped(server):
    """One that was stopped by a test which then failed is gone with all that it had."""
    pids = server.pids()
    server.pause()
    server.stop()
    assert not any(map(alive, pids))
    assert not server.folder.exists()


@pytest.mark.parametrize("kind", SERVERS)
def test_tests_are_killed(kind):
    """When tests are killed, their servers end and the folders are gone."""
    program = (
        "import signal, tests.servers; "
        f"server = tests.servers.{SERVERS[kind].__name__}(); "
        "print(server.folder, *server.pids(), flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as tests:
        folder, *pids = tests.stdout.readline().decode().split()
        assert pids
        os.kill(tests.pid, signal.SIGKILL)
    until(lambda: not any(alive(int(pid)) for pid in pids) and not Path(folder).exists())


def test_apart(postgres, valkey):
    """Each test has a database, or a space for keys, that nobody else has."""
    assert postgres.database() != postgres.database()
    assert valkey.space() != valkey.space()
