"""What a room's benchmark consists of."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from .bars import Bar
from .figures import Effort, Table
from .harness import AGAIN, BARE, Race
from .report import Picture

Scenario = Callable[[Effort], Table]


@dataclass(frozen=True, slots=True)
class Room:
    """A room: what is measured, in order, and what it is held to."""

    name: str
    distributions: Sequence[str]
    scenarios: Mapping[str, Scenario]
    bars: Sequence[Bar]
    pictures: Mapping[str, Picture]
    group: Callable[[str], str]


def scenarios(races: Iterable[Race]) -> dict[str, Scenario]:
    """Races by their keys."""

    def run(race: Race, effort: Effort) -> Table:
        return race.run(effort)

    return {race.key: partial(run, race) for race in races}


def grouped(*baselines: str) -> Callable[[str], str]:
    """``seawall``, ``baseline`` or ``peer``: how a chart colours a name."""
    known = {BARE, AGAIN, *baselines}

    def group(name: str) -> str:
        if name.startswith("seawall"):
            return "seawall"
        return "baseline" if name in known else "peer"

    return group
