"""The demo's processes: none is left behind, however it ends, and none dies unseen."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from seawall.demo import child, processes
from seawall.demo.processes import ChildError, Children
from seawall.demo.script import FAST

STARTED = """
import sys
from seawall.demo import processes
from seawall.demo.processes import Children
from seawall.demo.script import FAST
with Children() as children:
    for name in ("payments", "order"):
        children.start(name, "service")
    children.brief("payments", name="payments", script=list(FAST), seed=1)
    children.ready("payments")
    pids = [child._process.pid for child in children._children.values()]
    print(*pids, flush=True)
    sys.stdin.read()
"""


def there(pid):
    """Whether a process is there; one that is dead and not yet buried is not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def until(condition, seconds=20.0):
    """Whether it comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def service(children, name="payments"):
    """Starts one, healthy until it is told of a beginning; returns its port."""
    children.start(name, "service")
    children.brief(name, name=name, script=list(FAST), seed=1)
    return children.ready(name)["port"]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_child_outlives_its_parent(sent):
    """Killed, ended or interrupted: its children, ready and not ready, notice, and go."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(there(pid) for pid in pids)
        parent.send_signal(sent)
        parent.wait(20)
    assert until(lambda: not any(there(pid) for pid in pids))


def test_a_child_is_deaf_to_the_terminal():
    """Ctrl-C, which a terminal sends to all of a group, does not reach the children."""
    with Children() as children:
        service(children)
        [only] = children._children.values()
        assert os.getpgid(only._process.pid) != os.getpgid(0)


def test_a_child_that_dies_is_noticed():
    """Its death is an error that names it and its exit code, not a run with strange figures."""
    with Children() as children:
        service(children)
        children._children["payments"]._process.kill()
        children._children["payments"]._process.wait()
        with pytest.raises(ChildError, match="payments ended with exit code -9"):
            children.check()
        with pytest.raises(ChildError, match="payments ended"):
            children.begin(0.0)


def test_a_child_that_can_not_start_says_why():
    """The last line of its stderr is in the error."""
    with Children() as children:
        children.start("payments", "no such role")
        with pytest.raises(ChildError, match="no role 'no such role'"):
            children.ready("payments")


def test_a_child_that_takes_too_long(monkeypatch):
    """Who is not told what to do is never ready, and is not waited for for ever."""
    monkeypatch.setattr(processes, "READY", 0.2)
    with Children() as children:
        children.start("payments", "service")
        with pytest.raises(ChildError, match=r"payments was not ready within 0 s"):
            children.ready("payments")


def test_a_child_that_does_not_go_is_killed(monkeypatch):
    """One that hears nothing any more is killed, after a while."""
    monkeypatch.setattr(processes, "GONE", 0.2)
    with Children() as children:
        service(children)
        pid = children._children["payments"]._process.pid
        os.kill(pid, signal.SIGSTOP)
    assert not there(pid)


def test_ports_are_free_ones():
    """Two of a kind have ports of their own: nothing is fixed that could be taken."""
    with Children() as children:
        assert service(children, "payments") != service(children, "recommendations")


def test_lines_are_heard_to_the_last():
    """Whatever a child said before it went is there when it has gone."""
    with Children() as children:
        port = service(children)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert [client.get("/").status_code for _ in range(20)] == [200] * 20
        children.stop()
        hits = []
        while not children.said.empty():
            hits.append(children.said.get())
    assert [(hit.child, hit.kind) for hit in hits] == [("payments", "hit")] * 20


def test_a_service_that_is_down_hangs():
    """While it is down it takes connections and answers nobody; its clients' timeouts end that."""
    with Children() as children:
        port = service(children)
        begin, _ = FAST.span("down")
        children.begin(time.monotonic() - begin)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"http://127.0.0.1:{port}/", timeout=0.1)


def test_answers_are_not_held_back(monkeypatch):
    """Connections are said to be TCP's, so that asyncio switches Nagle's algorithm off for them.

    Else each answer would be late by the 40 ms for which the other side holds back its own.
    """
    served = []

    async def look(_, sockets):
        for listening in sockets:
            listening.setblocking(False)
            loop = asyncio.get_running_loop()
            server = await asyncio.start_server(taken, sock=listening)
            async with server:
                _, writer = await asyncio.open_connection(*listening.getsockname())
                await asyncio.wait_for(loop.create_task(until_served()), 10)
                writer.close()

    async def taken(_, writer):
        connection = writer.get_extra_info("socket")
        served.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def until_served():
        while not served:
            await asyncio.sleep(0.001)

    class Parent:
        def tell(self, kind, **fields):
            assert (kind, *fields) == ("ready", "port")

    monkeypatch.setattr("uvicorn.Server.serve", look)
    child.serve(None, Parent())
    assert served == [1]
