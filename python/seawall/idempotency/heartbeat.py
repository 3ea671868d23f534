"""Who renews the leases of what runs here: one thread of Python's for all, while anything runs.

It is a thread of its own so that a body which blocks its event loop, or a thread which computes,
does not lose its lease by that. It asks without waiting and reads the answers later, so that one
store that hangs keeps nobody else's lease from being renewed; and it runs no code of the user's. It
ends when nothing runs, and before the interpreter does: a thread that is still inside a store when
the interpreter goes away could abort the process.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from contextvars import Context
from math import inf
from typing import TYPE_CHECKING
from weakref import WeakSet

from seawall._core import Reply, Ticket
from seawall.idempotency.local import run_of
from seawall.stores.errors import StoreError

if TYPE_CHECKING:
    from seawall._core import Pending
    from seawall.idempotency.conversation import Run
    from seawall.idempotency.local import Local

__all__ = ["watch"]

#: Seconds between two looks for answers that are not there yet.
GLANCE = 0.02
#: Seconds within which an exit waits for the thread.
PATIENCE = 2.0


class Heart:
    """The thread, and what it looks after."""

    def __init__(self) -> None:
        self.change = threading.Condition(threading.Lock())
        #: Weakly: a store that nobody has any more is not kept for the next look.
        self.watched: WeakSet[Local] = WeakSet()
        #: What is asked and not answered: the answer, since when, and until when it is waited for.
        self.asked: dict[Run, tuple[Pending, float, float]] = {}
        self.thread: threading.Thread | None = None
        self.hurry = False
        self.over = False

    def watch(self, local: Local, rhythm: float) -> None:
        """Looks after what runs there, at least once in ``rhythm`` seconds."""
        with self.change:
            local.rhythm = min(local.rhythm, rhythm)
            self.watched.add(local)
            self.hurry = True
            if self.over:
                return
            if self.thread is None:
                # In a context of its own: a test's clock, or a deadline, of whoever comes first is
                # nothing to the others.
                thread = threading.Thread(target=Context().run, args=(self.beat,), daemon=True)
                thread.name = "seawall-idempotency-heartbeat"
                self.thread = thread
                thread.start()
            else:
                self.change.notify()

    def beat(self) -> None:
        """Renews what is due, until nothing runs."""
        while True:
            wake = self.look(time.monotonic())
            with self.change:
                if self.over:
                    return
                if wake == inf and not self.watched:
                    self.thread = None
                    return
                if not self.hurry:
                    self.change.wait(max(wake - time.monotonic(), 0.001))
                self.hurry = False

    def look(self, now: float) -> float:
        """Asks for what is due, reads what is there; when to look again."""
        wake = inf
        for asked, (pending, since, until) in list(self.asked.items()):
            if pending.is_there or now >= until:
                del self.asked[asked]
                self.read(asked, pending, since, now)
            else:
                wake = now + GLANCE
        with self.change:
            watched = list(self.watched)
        for local in watched:
            all_held = list(local.running.values())
            if not all_held:
                self.leave(local)
            for held in all_held:
                if isinstance(held, Ticket) and (left := held.beat_in) > 0:
                    # Most are over before they are due: nothing was made for them to be renewed.
                    wake = min(wake, now + left)
                    continue
                run = run_of(held)
                if run is None:
                    continue
                if run.beat_at <= now and run not in self.asked:
                    self.ask(run, now)
                if run in self.asked:
                    wake = min(wake, now + GLANCE)
                wake = min(wake, run.beat_at if run.beat_at > now else inf)
            wake = min(wake, now + local.rhythm)
        return wake

    def leave(self, local: Local) -> None:
        """Nothing runs there. What begins from now on says so, what has begun meanwhile is seen."""
        with self.change:
            rhythm, local.rhythm = local.rhythm, inf
            self.watched.discard(local)
            if local.running:
                local.rhythm = rhythm
                self.watched.add(local)

    def ask(self, run: Run, now: float) -> None:
        """Asks for another lease."""
        run.beat_at = now + run.operation.third
        try:
            asked = run.operation.native.submit(run.extension())
        except StoreError:
            run.renewal_failed(now)
            return
        if isinstance(asked, Reply):
            run.renewed(asked, now)
        else:
            self.asked[run] = (asked, now, now + run.operation.third)

    def read(self, run: Run, pending: Pending, since: float, now: float) -> None:
        """Reads the answer, or gives it up."""
        try:
            run.renewed(pending.take(), since)
        except StoreError:
            run.renewal_failed(now)

    def stop(self) -> None:
        """The interpreter is about to end."""
        with self.change:
            self.over = True
            self.change.notify()
            thread = self.thread
        if thread is not None:
            thread.join(PATIENCE)


class Process:
    """What there is of it in this process: nothing before somebody runs an operation."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.heart: Heart | None = None


_process = Process()


def watch(local: Local, rhythm: float) -> None:
    """Renews the leases of what runs there, looking at least once in ``rhythm`` seconds."""
    with _process.lock:
        if _process.heart is None:
            _process.heart = Heart()
            atexit.register(_stop)
        heart = _process.heart
    heart.watch(local, rhythm)


def _stop() -> None:
    if _process.heart is not None:
        _process.heart.stop()


def _after_fork() -> None:
    _process.lock = threading.Lock()
    if _process.heart is not None:
        _process.heart = Heart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
