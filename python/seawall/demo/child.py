"""What each process of the demo is inside: a role, a line to its parent, and no life without it.

``python -m seawall.demo.child ROLE``. The parent writes JSON lines to stdin: first what the role
needs to know, later when everything begins. The child writes JSON lines to stdout. When stdin ends,
because the parent says so or because it is gone, however it went, the process ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["HOST", "Parent", "Start", "serve"]

HOST = "127.0.0.1"


class Start:
    """When everything begins. Until that is known, nothing has happened yet."""

    def __init__(self) -> None:
        self.known = threading.Event()
        self._at = 0.0

    def set(self, at: float) -> None:
        """Says when: a moment of `time.monotonic`, which is one clock for all processes."""
        self._at = at
        self.known.set()

    def now(self) -> float:
        """Seconds since the beginning; below zero before it."""
        return time.monotonic() - self._at if self.known.is_set() else -1.0


class Parent:
    """The line to the parent. Threads may use it at once."""

    def __init__(self) -> None:
        self.start = Start()
        self._lock = threading.Lock()

    def listen(self) -> Any:
        """Waits for the first line and returns what it says; goes on to listen in a thread."""
        first = sys.stdin.readline()
        if not first:
            os._exit(0)
        threading.Thread(target=self._listen, daemon=True).start()
        return json.loads(first)

    def tell(self, kind: str, **fields: object) -> None:
        """Says something, with the time."""
        line = json.dumps({"kind": kind, "at": round(self.start.now(), 4), **fields})
        try:
            with self._lock:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
        except OSError:
            os._exit(0)

    def _listen(self) -> None:
        for line in sys.stdin:
            self.start.set(json.loads(line)["start"])
        # Whatever still runs here runs for nobody. The lock: no line is cut in two.
        with self._lock:
            os._exit(0)


def serve(app: Any, parent: Parent) -> None:
    """Serves an ASGI application on a free port, which the parent is told, until the end."""
    import uvicorn

    # Said to be TCP, or asyncio leaves Nagle's algorithm on, and every answer is 40 ms late.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind((HOST, 0))
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_level="error",
            access_log=False,
            backlog=2048,
        )
        # Connections wait in the socket's own queue until it is served.
        listening.listen(config.backlog)
        parent.tell("ready", port=listening.getsockname()[1])
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


Role: TypeAlias = Callable[[Any, Parent], None]


def _role(name: str) -> Role:
    """What a role does. Loads what it needs, and nothing of the others."""
    match name:
        case "service":
            from seawall.demo import service

            return service.play
        case "order":
            from seawall.demo.order import app

            return app.play
        case "users":
            from seawall.demo import users

            return users.play
        case _:
            raise SystemExit(f"no role {name!r}")


def main() -> None:
    """Plays a role."""
    # Ctrl-C is for the parent, which sees to it that everybody goes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    play = _role(sys.argv[1])
    parent = Parent()
    play(parent.listen(), parent)
    parent.tell("over")
    threading.Event().wait()


if __name__ == "__main__":
    main()
