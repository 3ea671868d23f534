"""What a process knows of its own operations: which run here, and how some have ended.

Nothing here decides whether a body is run: the store does. What runs here wakes those who wait for
it here, and what has completed here is replayed without asking. A completed operation is final
until it expires, so that what is remembered of it can't become wrong.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from math import inf
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from seawall import _core
from seawall._core import Kept, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from seawall.idempotency.conversation import Run
    from seawall.stores import Store

__all__ = ["Bell", "Ear", "Kept", "Local", "hang_up", "is_inside", "local_of", "run_of"]

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

    def forget(self, ring: Callable[[], object]) -> None:
        """Has ``ring`` not called any more: who waited has given up."""
        try:
            self._rings.remove(ring)
        except (IndexError, ValueError):
            # It rings just now: whoever rings empties it.
            return

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


class Ear:
    """One wait for a bell: what it hangs there, it takes away again."""

    __slots__ = ("_bell", "_ring")

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._ring: Callable[[], object] | None = None

    def listen(self, ring: Callable[[], object]) -> bool:
        """As `Bell.listen`."""
        self._ring = ring
        return self._bell.listen(ring)

    def turn_away(self) -> None:
        """The wait is over, however it ended."""
        if self._ring is not None and not self._bell.rung:
            self._bell.forget(self._ring)


class Local(_core.Local):
    """What this process knows of the operations of one store."""

    __slots__ = ("__weakref__",)

    def __new__(cls) -> Self:
        """Nothing runs, and nothing has ended."""
        return super().__new__(cls, MOST_KEPT, LONGEST_KEPT)

    def forget(self) -> None:
        """In a forked child: what runs, does so in the parent."""
        self.running.clear()
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


def run_of(held: Run | Ticket | None) -> Run | None:
    """The run that a ticket is, which Python goes on with from now on; None: it is over."""
    return held.run() if isinstance(held, Ticket) else held


def is_inside(run: Run) -> bool:
    """Whether it lies in a run of the same operation and key, which would wait for itself."""
    outer = run_of(run.outer)
    while outer is not None:
        same = outer.operation.local is run.operation.local and outer.place == run.place
        if same and outer.is_held():
            return True
        outer = run_of(outer.outer)
    return False


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
