"""The demo's processes as their parent sees them: started, heard, and gone in the end.

Each has a pipe as its stdin. It ends when that is closed, so none is left behind, also if this
process is killed; those that don't go by themselves are killed.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from typing import IO, Any, NamedTuple, Self

__all__ = ["ChildError", "Children", "Said"]

#: Seconds that a process may take to be ready, on a machine that is busy; and to go by itself.
READY = 30.0
GONE = 2.0


class ChildError(Exception):
    """A process of the demo ended, or was not ready, when it should have been there."""


class Said(NamedTuple):
    """A line of a child."""

    child: str
    kind: str
    at: float
    fields: dict[str, Any]


class Children:
    """The processes of one run. A block: when it is left, none of them is there any more."""

    def __init__(self) -> None:
        self.said: queue.SimpleQueue[Said] = queue.SimpleQueue()
        self._children: dict[str, _Child] = {}

    def start(self, name: str, role: str) -> None:
        """Starts a process, which loads what its role needs and waits to be told more."""
        self._children[name] = _Child(name, role, self.said)

    def brief(self, name: str, /, **told: object) -> None:
        """Tells a process what its role needs to know."""
        self._children[name].write(told)

    def ready(self, name: str) -> dict[str, Any]:
        """Waits until a process is ready; returns what it says then.

        Raises:
            ChildError: It has ended, or takes too long.
        """
        return self._children[name].ready(time.monotonic() + READY)

    def begin(self, at: float) -> None:
        """Tells all of them when everything begins: a moment of `time.monotonic`."""
        for child in self._children.values():
            child.write({"start": at})

    def check(self) -> None:
        """Looks whether all of them are there.

        Raises:
            ChildError: One is not; with what it said on its stderr.
        """
        for child in self._children.values():
            child.check()

    def stop(self) -> None:
        """Ends all of them, and waits until they are gone and everything they said is heard."""
        for child in self._children.values():
            child.dismiss()
        deadline = time.monotonic() + GONE
        for child in self._children.values():
            child.bury(deadline)
        self._children.clear()

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends all of them."""
        self.stop()


class _Child:
    def __init__(self, name: str, role: str, said: queue.SimpleQueue[Said]) -> None:
        self._name = name
        self._said = said
        self._is_ready = threading.Event()
        self._told: dict[str, Any] = {}
        # A file, not a pipe: nobody has to read it for the process to go on.
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "seawall.demo.child", role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            bufsize=1,
            # Ctrl-C in a terminal is for the parent alone.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"demo {name}", daemon=True)
        self._reader.start()

    def write(self, told: object) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for above
        try:
            self._process.stdin.write(json.dumps(told) + "\n")
        except OSError:
            self.check()

    def ready(self, deadline: float) -> dict[str, Any]:
        while not self._is_ready.wait(0.05):
            self.check()
            if time.monotonic() > deadline:
                raise ChildError(f"{self._name} was not ready within {READY:.0f} s")
        return self._told

    def check(self) -> None:
        code = self._process.poll()
        if code is not None:
            self._errors.seek(0)
            last = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise ChildError(": ".join([f"{self._name} ended with exit code {code}", *last]))

    def dismiss(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for above
        with suppress(OSError):  # it has gone already
            self._process.stdin.close()

    def bury(self, deadline: float) -> None:
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None  # noqa: S101 - it was asked for above
        self._process.stdout.close()
        self._errors.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for above
        for line in self._process.stdout:
            fields = json.loads(line)
            kind, at = fields.pop("kind"), fields.pop("at")
            if kind == "ready":
                self._told = fields
                self._is_ready.set()
            else:
                self._said.put(Said(self._name, kind, at, fields))
