"""A bounded queue with one thread of its own, for listeners that may be slow.

The thread is started by the first event, not before; it is a daemon and holds no event back when
the interpreter exits. A forked child has no copy of it and starts its own.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

__all__ = ["Queue"]

#: Events that may wait. A listener further behind than this is not going to catch up.
CAPACITY = 10_000


class Queue:
    """Hands what is put in to a listener, one after the other, on a thread of its own."""

    def __init__(self, hear: Callable[[Any], object]) -> None:
        """``hear`` must not raise."""
        self._hear = hear
        self._closed = False
        self.begin()
        _queues.add(self)

    def begin(self) -> None:
        """Starts empty, also in a forked child: what waited there is the parent's to tell."""
        self.overflow = 0
        self._waiting: deque[Any] = deque()
        self._change = threading.Condition()
        self._hearing = False
        self._thread: threading.Thread | None = None

    def put(self, event: Any) -> None:
        """Adds ``event``, or counts it as overflow. Never waits for the listener."""
        with self._change:
            if len(self._waiting) >= CAPACITY:
                self.overflow += 1
                return
            self._waiting.append(event)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="seawall-listener", daemon=True)
                thread.start()
                self._thread = thread
            self._change.notify_all()

    def flush(self, timeout: float) -> bool:
        """Waits until nothing waits and nothing is being heard."""
        with self._change:
            return self._change.wait_for(lambda: not self._waiting and not self._hearing, timeout)

    def close(self) -> None:
        """Lets the thread end when it has nothing left to hear."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _run(self) -> None:
        while True:
            with self._change:
                self._hearing = False
                self._change.notify_all()
                self._change.wait_for(lambda: self._closed or bool(self._waiting))
                if not self._waiting:
                    self._thread = None
                    return
                event = self._waiting.popleft()
                self._hearing = True
            self._hear(event)


_queues: WeakSet[Queue] = WeakSet()


def _after_fork() -> None:
    # A thread that is gone may have held any of the locks.
    for queue in list(_queues):
        queue.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
