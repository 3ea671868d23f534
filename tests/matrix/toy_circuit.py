"""The state machine of a breaker that is right."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from benches.matrix.adapter import Settings
from benches.matrix.clock import PatchedClock

LEASE = 60.0


class ToyOpenError(Exception):
    """Rejected."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("open")
        self.retry_after = retry_after


@dataclass(eq=False)
class Ticket:
    """One admission."""

    generation: int
    at: float


@dataclass
class Circuit:
    """The state machine; a subclass spoils one rule of it."""

    settings: Settings
    clock: PatchedClock
    word: str = "closed"
    generation: int = 0
    opened_at: float = 0.0
    probes: list[Ticket] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)
    inside: int = 0

    def __post_init__(self) -> None:
        rate = self.settings.rate
        self.recent: deque[bool] = deque(maxlen=rate.window if rate else self.settings.threshold)

    def now(self) -> float:
        return self.clock.monotonic()

    def move(self, word: str) -> None:
        self.word, self.generation = word, self.generation + 1
        self.probes.clear()
        self.recent.clear()
        self.opened_at = self.now()

    def acquire(self) -> Ticket:
        ticket = self.admit()
        self.inside += 1
        return ticket

    def admit(self) -> Ticket:
        with self.lock:
            left = self.opened_at + self.settings.recovery - self.now()
            if self.word == "open" and left <= 0:
                self.move("half_open")
            if self.word == "half_open":
                self.probes = [p for p in self.probes if self.now() - p.at < LEASE]
                if len(self.probes) < self.allowed():
                    self.probes.append(Ticket(self.generation, self.now()))
                    return self.probes[-1]
            if self.word != "closed":
                self.turned_away()
                raise ToyOpenError(max(left, 0.0))
            return Ticket(self.generation, self.now())

    def allowed(self) -> int:
        return self.settings.half_open

    def turned_away(self) -> None:
        pass

    def is_late(self, ticket: Ticket) -> bool:
        return ticket.generation != self.generation

    def verdict(self, error: BaseException | None) -> bool | None:
        """True a success, False a failure, None neither."""
        if error is None:
            return True
        return False if self.settings.is_failure(error) else None

    def settle(self, ticket: Ticket, error: BaseException | None, took: float = 0.0) -> None:
        with self.lock:
            self.inside -= 1
            good = self.verdict(error)
            if self.settings.slow is not None and took >= self.settings.slow:
                good = False
            if self.is_late(ticket):
                return
            if self.word == "half_open":
                if good is None:
                    self.probes = [p for p in self.probes if p is not ticket]
                else:
                    self.move("closed" if good else "open")
            elif good is not None:
                self.recent.append(good)
                if self.trips():
                    self.move("open")

    def trips(self) -> bool:
        failures = self.recent.count(False)
        if (rate := self.settings.rate) is None:
            return failures == self.settings.threshold
        return len(self.recent) >= rate.min_calls and failures / len(self.recent) >= rate.failures
