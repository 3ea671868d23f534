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

__all__ = ["Queue"]

#: Events that may wait. A listener further behind than this is not going to catch up.
CAPACITY = 10_000


class Queue:
    """Hands what is put in to a listener, one after the other, on a thread of its own."""

    def __init__(self, hear: Callable[[Any], object]) -> None:
        """``hear`` must not raise."""
        self._hear = hear
        self.overflow = 0
        self._begin()

    def _begin(self) -> None:
        self._waiting: deque[Any] = deque()
        self._change = threading.Condition()
        self._hearing = False
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def put(self, event: Any) -> None:
        """Adds ``event``, or counts it as overflow. Never waits for the listener."""
        if self._process != os.getpid():
            # What waited at the fork is the parent's to tell.
            self._begin()
        with self._change:
            if len(self._waiting) >= CAPACITY:
                self.overflow += 1
                return
            self._waiting.append(event)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="seawall-listener", daemon=True
                )
                self._thread.start()
            self._change.notify_all()

    def flush(self, timeout: float) -> bool:
        """Waits until nothing waits and nothing is being heard."""
        with self._change:
            return self._change.wait_for(
                lambda: not self._waiting and not self._hearing, timeout
            )

    def _run(self) -> None:
        while True:
            with self._change:
                self._hearing = False
                self._change.notify_all()
                self._change.wait_for(lambda: bool(self._waiting))
                event = self._waiting.popleft()
                self._hearing = True
            self._hear(event)
