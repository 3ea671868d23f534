"""What a process knows of its own operations: which run here, and how some have ended.

Nothing here decides whether a body is run: the store does. What runs here wakes those who wait for
it here, and what has completed here is replayed without asking. A completed operation is final
until it expires, so that what is remembered of it can't become wrong.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict, deque
from math import inf
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from seawall.idempotency.conversation import Run
    from seawall.stores import Store

__all__ = ["Bell", "Kept", "Local", "hang_up", "local_of"]

#: How many results a store has remembered here, and how long the longest is in bytes: 16 MiB.
MOST_KEPT = 1024
LONGEST_KEPT = 16_384


class Bell:
    """Rings once, for all who wait for an operation's end in this process.

    It has no lock: a fork could leave it locked, and each step of a deque is one of the
    interpreter's.
    """

    __slots__ = ("_rings", "rung")

    def __init__(self) -> None:
        self._rings: deque[Callable[[], object]] = deque()
        self.rung = False

    def listen(self, ring: Callable[[], object]) -> bool:
        """Has ``ring`` called when it rings; False if it has rung, and ``ring`` is not called."""
        self._rings.append(ring)
        if self.rung:
            try:
                self._rings.remove(ring)
            except ValueError:
                # Whoever rings has it already.
                return True
            return False
        return True

    def ring(self) -> None:
        """Wakes everybody, each only once."""
        self.rung = True
        while self._rings:
            try:
                ring = self._rings.popleft()
            except IndexError:
                return
            try:
                ring()
            except RuntimeError:
                # Its loop was closed, and whoever waited there is gone.
                continue


class Kept:
    """The result of an operation that completed here, until it expires."""

    __slots__ = ("codec", "data", "fingerprint", "is_shared", "until", "value")

    def __init__(self, fingerprint: bytes | None, codec: int, data: bytes, until: float) -> None:
        self.fingerprint = fingerprint
        self.codec = codec
        self.data = data
        self.until = until
        #: Whether `value` was read and can't be changed: then all may have the same one.
        self.is_shared = False
        self.value: object = None


class Local:
    """What this process knows of the operations of one store."""

    __slots__ = ("__weakref__", "_kept", "rhythm", "running")

    def __init__(self) -> None:
        #: By place: namespace, scope and key.
        self.running: dict[bytes, Run] = {}
        #: The seconds between two looks at the leases of what runs. `inf`: nobody looks.
        self.rhythm = inf
        # Not a dict: the first key of one is found by passing all that were removed before it.
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()

    def kept(self, place: bytes) -> Kept | None:
        """How the operation has ended, if that was here and has not expired."""
        kept = self._kept.get(place)
        if kept is None or time.monotonic() < kept.until:
            return kept
        self._kept.pop(place, None)
        return None

    def keep(self, place: bytes, kept: Kept) -> None:
        """Remembers how it has ended; forgets the oldest where there is no room."""
        if len(kept.data) > LONGEST_KEPT:
            return
        ends = self._kept
        ends[place] = kept
        while len(ends) > MOST_KEPT:
            try:
                ends.popitem(last=False)
            except KeyError:
                # Another thread has done so meanwhile.
                return

    def forget(self) -> None:
        """In a forked child: what runs, does so in the parent."""
        self.running = {}
        self.rhythm = inf


class Process:
    """What there is of it in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.of_store: WeakKeyDictionary[Store, Local] = WeakKeyDictionary()
        self.all: WeakSet[Local] = WeakSet()


_process = Process()


def local_of(store: Store) -> Local:
    """What this process knows of the operations of a store."""
    with _process.lock:
        local = _process.of_store.get(store)
        if local is None:
            local = _process.of_store[store] = Local()
            _process.all.add(local)
        return local


def hang_up(run: Run) -> Bell:
    """The bell of a run: that of whoever asks first."""
    with _process.lock:
        bell = run._bell
        if bell is None:
            bell = run._bell = Bell()
        return bell


def _after_fork() -> None:
    _process.lock = threading.Lock()
    for local in list(_process.all):
        local.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
