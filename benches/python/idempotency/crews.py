"""Processes that take turns: each contender's own, one of them at work, or all.

A contender has processes of its own, so that the threads, the memory and the processor's time of
one are not another's. Within each round the contenders take turns, in an order shuffled anew. What
is shown is the median of the rounds; beside times of one process, the least, which gates the bars.
"""

import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from typing import IO, Any

from benches.python.figures import Effort, GaugeTable
from benches.python.harness import reason
from benches.python.machine import unpinned

from .backends import Backend

PROCESSES = 4
#: Seconds of one turn.
TURN = 0.025

PAIR = "pair, µs"
PAIR_LEAST = "pair, least µs"
PAIR_BURN = "pair, µs of the processor"
REPLAY = "replay, µs"
REPLAY_LEAST = "replay, least µs"
REPLAY_BURN = "replay, µs of the processor"
PAIRS = f"pairs a second, {PROCESSES} processes"
REPLAYS = f"replays a second, {PROCESSES} processes"
COLUMNS = (
    *(PAIR, PAIR_LEAST, PAIR_BURN),
    *(REPLAY, REPLAY_LEAST, REPLAY_BURN),
    *(PAIRS, REPLAYS),
)
_LEAST = {PAIR_LEAST: PAIR, REPLAY_LEAST: REPLAY}


class AbsentError(Exception):
    """A contender that can't be measured, with the reason."""


class Crew:
    """The processes of one contender."""

    def __init__(self, backend: Backend, row: str, url: str) -> None:
        """They are ready."""
        command = [sys.executable, "-m", f"{__package__}.member", backend.key, row, url]
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed with the crew
        self._members = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True
            )
            for _ in range(PROCESSES)
        ]
        try:
            for member in self._members:
                self._heard(member)
        except BaseException:
            self.close()
            raise

    def turn(self, what: str, many: int) -> tuple[float, float, float]:
        """Of so many at once: µs a call, µs of the processor a call, calls a second of all."""
        members = self._members[:many]
        for member in members:
            assert member.stdin is not None
            member.stdin.write(f"{what} {TURN}\n")
            member.stdin.flush()
        took = [json.loads(self._heard(member)) for member in members]
        done = sum(one[0] for one in took)
        rate = sum(one[0] / one[1] for one in took) * 1e9
        return (
            sum(one[1] for one in took) / done / 1000,
            sum(one[2] for one in took) / done / 1000,
            rate,
        )

    def _heard(self, member: Any) -> str:
        line: str = member.stdout.readline()
        if not line:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip().splitlines()
            raise AbsentError(said[-1] if said else "it ended")
        return line

    def close(self) -> None:
        """They end."""
        for member in self._members:
            member.kill()
            member.communicate()
        self._said.close()


@contextlib.contextmanager
def _crews(backend: Backend, url: str, absent: dict[str, str]) -> Iterator[dict[str, Crew]]:
    crews: dict[str, Crew] = {}
    try:
        for row in backend.lanes():
            try:
                crews[row] = Crew(backend, row, url)
            except AbsentError as error:
                absent[row] = str(error)
        yield crews
    finally:
        for crew in crews.values():
            crew.close()


def measured(backend: Backend, effort: Effort) -> GaugeTable:
    """All contenders of a backend, in turns."""
    absent: dict[str, str] = {}
    rows: dict[str, list[float | None]] = {}
    taken: dict[str, dict[str, list[float]]] = {}
    try:
        with unpinned(), backend.place() as url, _crews(backend, url, absent) as crews:
            for number in range(rounds(effort)):
                for row in random.Random(number).sample(sorted(crews), len(crews)):
                    _take(taken.setdefault(row, defaultdict(list)), crews[row])
    except Exception as error:
        absent |= dict.fromkeys(backend.lanes(), reason(error))
    for row in backend.lanes():
        if row in taken and row not in absent:
            rows[row] = [_figure(taken[row], column) for column in COLUMNS]
    about = (
        f"{backend.about} A claim with its completion, and a replay that asks the store; medians "
        f"of {rounds(effort)} rounds, of one process and of {PROCESSES} at once."
    )
    return GaugeTable(backend.key, about, COLUMNS, rows, absent, digits=2)


def _figure(taken: dict[str, list[float]], column: str) -> float:
    if column in _LEAST:
        return min(taken[_LEAST[column]])
    return statistics.median(taken[column])


def _take(into: dict[str, list[float]], crew: Crew) -> None:
    for what, wall, burn, rate in (
        ("pair", PAIR, PAIR_BURN, PAIRS),
        ("replay", REPLAY, REPLAY_BURN, REPLAYS),
    ):
        took, burnt, _ = crew.turn(what, 1)
        into[wall].append(took)
        into[burn].append(burnt)
        into[rate].append(crew.turn(what, PROCESSES)[2])


def rounds(effort: Effort) -> int:
    """How often each has its turn."""
    return max(1, effort.thread_rounds // 2)
