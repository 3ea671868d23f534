"""What becomes of the services: healthy, slow, down, recovering. The same each time.

Payments and recommendations stand on one database. It gets slow, then it hangs: connections are
taken, and nobody answers. Then it comes back, cold. Times are seconds since the beginning.
"""

from __future__ import annotations

import math
import random
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["FAST", "FULL", "Fate", "PhaseName", "Script", "fate"]

PhaseName: TypeAlias = Literal["healthy", "slow", "down", "recovering"]

#: Seconds that an answer takes on a good day.
GOOD = (0.010, 0.030)
#: While the database is slow.
SLOW = (1.5, 3.5)
#: At the first moment of the recovery, and the share of answers that are errors then. Both go
#: down to what they are on a good day, evenly.
COLD = (0.050, 0.150)
COLD_ERRORS = 0.2
#: When the recovery is over, as a share of its phase; what is left of the phase is as good as ever.
WARM = 0.5


class Script(NamedTuple):
    """How long each phase lasts, in seconds."""

    healthy: float
    slow: float
    down: float
    recovering: float

    @property
    def phases(self) -> list[tuple[PhaseName, float, float]]:
        """Each phase with its beginning and its end."""
        names: tuple[PhaseName, ...] = ("healthy", "slow", "down", "recovering")
        found: list[tuple[PhaseName, float, float]] = []
        begin = 0.0
        for name, seconds in zip(names, self, strict=True):
            found.append((name, begin, begin + seconds))
            begin += seconds
        return found

    @property
    def seconds(self) -> float:
        """How long all of it lasts."""
        return sum(self)

    @property
    def warm(self) -> float:
        """From when on the services are as good as on any day again."""
        return self.seconds - (1 - WARM) * self.recovering

    def phase(self, at: float) -> PhaseName:
        """The phase at a moment; before the beginning the first, after the end the last."""
        for name, _, end in self.phases:
            if at < end:
                return name
        return "recovering"

    def span(self, wanted: PhaseName) -> tuple[float, float]:
        """Beginning and end of a phase."""
        return next((begin, end) for name, begin, end in self.phases if name == wanted)


FULL = Script(healthy=8, slow=9, down=14, recovering=10)
FAST = Script(healthy=1.5, slow=3, down=3.5, recovering=2.5)


class Fate(NamedTuple):
    """What becomes of one request: how long it takes, in seconds, and its status.

    One that hangs takes infinitely long.
    """

    delay: float
    status: int


def fate(script: Script, at: float, seed: str) -> Fate:
    """What becomes of a request that arrives at a moment. The same seed has the same fate."""
    chance = random.Random(seed)
    match script.phase(at):
        case "healthy":
            return Fate(chance.uniform(*GOOD), 200)
        case "slow":
            return Fate(chance.uniform(*SLOW), 200)
        case "down":
            return Fate(math.inf, 504)
        case "recovering":
            begin, _ = script.span("recovering")
            cold = max(0.0, 1 - (at - begin) / (script.warm - begin))
            low, high = (
                good + cold * (worse - good) for good, worse in zip(GOOD, COLD, strict=True)
            )
            failed = chance.random() < COLD_ERRORS * cold
            return Fate(chance.uniform(low, high), 503 if failed else 200)
