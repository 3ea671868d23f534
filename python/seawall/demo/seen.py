"""What was seen of one run, request by request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from seawall.demo.load import Route
from seawall.demo.script import Script

__all__ = ["ENDS", "GOOD_ENDS", "End", "Hit", "Run", "Service", "Turn", "Variant", "Visited"]

Variant: TypeAlias = Literal["naked", "protected"]
Service: TypeAlias = Literal["payments", "recommendations"]
End: TypeAlias = Literal["answered", "fallback", "refused", "failed", "gave up"]

#: How a request can end, best first, and what each means to a reader.
ENDS: dict[End, str] = {
    "answered": "answered",
    "fallback": "answered without recommendations",
    "refused": "refused at once",
    "failed": "failed",
    "gave up": "user gave up",
}
#: What users came for.
GOOD_ENDS: frozenset[End] = frozenset({"answered", "fallback"})


class Visited(NamedTuple):
    """A request as its user saw it. Times are seconds; ``due`` and ``at`` since the beginning."""

    route: Route
    due: float
    waited: float
    end: End
    late: float


class Hit(NamedTuple):
    """A request that reached a service."""

    at: float
    service: Service


class Turn(NamedTuple):
    """A circuit breaker changed its state."""

    at: float
    breaker: Service
    state: str


@dataclass
class Run:
    """Everything that was seen of a run."""

    variant: Variant
    script: Script
    visits: list[Visited] = field(default_factory=list[Visited])
    hits: list[Hit] = field(default_factory=list[Hit])
    turns: list[Turn] = field(default_factory=list[Turn])

    @property
    def wanted(self) -> list[float]:
        """When users wanted something that needs one of the services."""
        return [one.due for one in self.visits if one.route != "cart"]

    def note(self, kind: str, at: float, fields: dict[str, Any]) -> None:
        """Takes down what a process said. What came before the beginning is left out."""
        if at < 0:
            return
        match kind:
            case "visit":
                self.visits.append(Visited(**fields))
            case "hit":
                self.hits.append(Hit(at, **fields))
            case "turn":
                self.turns.append(Turn(at, **fields))
            case _:
                raise ValueError(f"nobody knows what a {kind!r} is")
