"""Races: contenders measured in turns, in one process, on one core.

Differences of a few nanoseconds drown in what a shared machine does meanwhile, so:

- every contender gets code objects of its own, compiled for it, so that the adaptive interpreter
  specialises each call site for one callee only; several copies of each, so that where a code
  object happens to lie in memory favours nobody;
- contenders take turns within each round, in an order shuffled anew, and figures are compared
  only inside one run;
- the collector is off inside a sample and runs between rounds.
"""

import gc
import random
import re
import statistics
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter_ns
from typing import Any

from .figures import Effort, RaceTable, Timing

BARE = "bare"
AGAIN = "bare, again"
COPIES = 3
UNROLL = 10
COLLECT_EVERY = 16

_LOOP = """\
{kind} loop(n, f, x, o, g):
    start = now()
    for _ in repeat(None, n):
{body}
    return now() - start
"""

_LOOP_WITH_PRELUDE = """\
{kind} loop(n, f, x, o, g):
    spent = 0
    for _ in repeat(None, n):
{prelude}
        start = now()
{body}
        spent += now() - start
    return spent
"""


@dataclass(frozen=True, slots=True)
class Setup:
    """One contender: a statement over the names ``f``, ``x``, ``o`` and ``g``.

    ``prelude`` is run untimed before each block of ``unroll`` timed statements; ``between`` is
    called before each sample. A contender of a race with a prelude is slower by a share of two
    clock reads, and so is the bare call that it is compared with.
    """

    body: str = "f(x)"
    f: object = None
    x: object = 1
    o: object = None
    g: object = None
    prelude: str = ""
    between: Callable[[], object] | None = None
    unroll: int = UNROLL


@dataclass(frozen=True, slots=True)
class Race:
    """A scenario: entries are factories, so that what can't be built is absent, not fatal.

    ``host`` is what the whole race takes place in: an event loop, a deadline. It gives what runs
    a coroutine to its end.
    """

    key: str
    about: str
    entries: Mapping[str, Callable[[], Setup]]
    asynchronous: bool = False
    host: Callable[[], AbstractContextManager["Drive"]] | None = None

    def run(self, effort: Effort) -> RaceTable:
        """Measures all entries; the first one must be ``bare``."""
        with (self.host or by_hand)() as driver:
            return self._run(effort, driver)

    def _run(self, effort: Effort, driver: "Drive") -> RaceTable:
        lanes, absent = _line_up(self, effort, driver)
        samples: dict[str, list[float]] = {name: [] for name in lanes}
        order = list(lanes)
        shuffle = random.Random(0).shuffle
        gc.collect()
        gc.disable()
        try:
            for number in range(effort.rounds):
                shuffle(order)
                for name in order:
                    samples[name].append(lanes[name].sample(number))
                if number % COLLECT_EVERY == 0:
                    gc.collect()
        finally:
            gc.enable()
        bare = samples[BARE]
        rows = {name: _timing(taken, bare) for name, taken in samples.items()}
        body = textwrap.dedent(lanes[BARE].setup.body).strip()
        return RaceTable(self.key, self.about, BARE, body, rows, absent)


def drive(coroutine: Any) -> Any:
    """Runs a coroutine to its end without an event loop: a suspension is resumed at once."""
    send = coroutine.send
    try:
        while True:
            send(None)
    except StopIteration as stop:
        return stop.value


@contextmanager
def by_hand() -> Iterator["Drive"]:
    """No event loop stands between."""
    yield drive


def compile_loop(setup: Setup, *, asynchronous: bool) -> Callable[..., Any]:
    """A timing loop with a code object of its own."""
    template = _LOOP_WITH_PRELUDE if setup.prelude else _LOOP
    source = template.format(
        kind="async def" if asynchronous else "def",
        body="\n".join([textwrap.indent(setup.body, " " * 8)] * setup.unroll),
        prelude=textwrap.indent(setup.prelude, " " * 8),
    )
    namespace: dict[str, Any] = {"now": perf_counter_ns, "repeat": repeat}
    exec(source, namespace)  # noqa: S102 - our own text; a code object a contender is the point
    loop: Callable[..., Any] = namespace["loop"]
    return loop


class _Lane:
    """A contender, compiled and calibrated."""

    def __init__(self, setup: Setup, driver: "Drive", *, asynchronous: bool) -> None:
        self.setup = setup
        self._driver = driver
        self._asynchronous = asynchronous
        self._loops = [compile_loop(setup, asynchronous=asynchronous) for _ in range(COPIES)]
        self._count = 1

    def calibrate(self, sample_ns: int) -> None:
        """Finds how many turns fill a sample, and warms every copy."""
        for copy in range(COPIES):
            self._spend(copy, 20)
        self._count = 8
        while self._least_spent() < sample_ns // 2:
            self._count *= 2
        self._count = max(1, self._count * sample_ns // self._least_spent())

    def sample(self, number: int) -> float:
        """Nanoseconds a statement in this round."""
        copy = number % COPIES
        if self.setup.between is not None:
            self.setup.between()
        self._spend(copy, max(1, self._count // 16))
        return self._spend(copy, self._count) / (self._count * self.setup.unroll)

    def _least_spent(self) -> int:
        """Of one turn of each copy: an interruption here would leave all samples too short."""
        return min(self._spend(copy, self._count) for copy in range(COPIES))

    def _spend(self, copy: int, count: int) -> int:
        setup = self.setup
        result = self._loops[copy](count, setup.f, setup.x, setup.o, setup.g)
        spent: int = self._driver(result) if self._asynchronous else result
        return spent


def _line_up(
    race: Race, effort: Effort, driver: "Drive"
) -> tuple[dict[str, _Lane], dict[str, str]]:
    lanes: dict[str, _Lane] = {}
    absent: dict[str, str] = {}
    for name, make in race.entries.items():
        try:
            lane = _Lane(make(), driver, asynchronous=race.asynchronous)
            lane.calibrate(effort.sample_ns)
        except Exception as error:  # whatever it was, it is shown in the report
            if name == BARE:
                raise
            absent[name] = reason(error)
        else:
            lanes[name] = lane
    return lanes, absent


def reason(error: BaseException) -> str:
    """Why a contender is absent, in one line, without the path that an import error tells."""
    said = re.sub(r"\s*(\(/[^)]*\)|'/[^']*')", "", str(error)).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__


def _timing(taken: list[float], bare: list[float]) -> Timing:
    differences = [mine - theirs for mine, theirs in zip(taken, bare, strict=True)]
    return Timing(
        minimum=min(taken),
        median=statistics.median(taken),
        over_minima=min(taken) - min(bare),
        over_paired=statistics.median(differences),
    )


Drive = Callable[[Any], Any]
AsyncFunction = Callable[..., Awaitable[Any]]
Function = Callable[..., Any]
