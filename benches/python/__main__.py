"""``python -m benches.python``: runs the scenarios, prints figures and bars, writes the report."""

import argparse
import sys
import time
import warnings
from pathlib import Path

from . import (
    breaker,
    bulkhead,
    fallback,
    hedge,
    idempotency,
    pipeline,
    rate_limit,
    retry,
    timeout,
)
from .bars import Judged, judge
from .figures import FULL, QUICK, Run, Table
from .machine import facts, pinned
from .report import GATING, Report, bars_table, reasons, table_text, write
from .rooms import Room

ROOMS = (
    breaker.ROOM,
    retry.ROOM,
    timeout.ROOM,
    bulkhead.ROOM,
    rate_limit.ROOM,
    hedge.ROOM,
    fallback.ROOM,
    idempotency.ROOM,
    pipeline.ROOM,
)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.python", description=__doc__)
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument(
        "--quick",
        dest="effort",
        action="store_const",
        const=QUICK,
        help="half a minute a room (default)",
    )
    effort.add_argument(
        "--full",
        dest="effort",
        action="store_const",
        const=FULL,
        help="some minutes, for publishing",
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="a room, or scenarios whose name begins so (repeatable); other bars are not judged",
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 unless every bar is held")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report and pictures there")
    parser.add_argument("--cpu", type=int, help="core to run on (default: the last allowed one)")
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.set_defaults(effort=QUICK)
    return parser.parse_args()


def main() -> int:
    """Runs what was asked for."""
    asked = arguments()
    if asked.list:
        print("\n".join(key for room in ROOMS for key in room.scenarios))
        return 0
    chosen = [(room, keys) for room in ROOMS if (keys := _chosen(room, asked.only))]
    if not chosen:
        print(f"no scenario begins with {asked.only}; --list shows them", file=sys.stderr)
        return 2
    warnings.simplefilter("ignore")
    with pinned(asked.cpu):
        judged = [each for room, keys in chosen for each in _run(room, keys, asked)]
    return 1 if asked.strict and any(each.verdict != "held" for each in judged) else 0


def _chosen(room: Room, only: list[str] | None) -> list[str]:
    return [
        key
        for key in room.scenarios
        if not only or any(key.startswith(name) or name == room.name for name in only)
    ]


def _run(room: Room, keys: list[str], asked: argparse.Namespace) -> list[Judged]:
    """Measures one room, prints what it found, writes its report."""
    found = facts(list(room.distributions))
    tables: dict[str, Table] = {}
    begun = time.perf_counter()
    for key in keys:
        tables[key] = room.scenarios[key](asked.effort)
        print(table_text(tables[key]), end="\n\n", flush=True)
    run = Run(tables)
    judged = judge(list(room.bars), run)
    if asked.only:
        judged = [each for each in judged if each.value is not None]
    print(f"## Bars\n\n{GATING}\n\n{bars_table(judged)}\n")
    if missed := reasons(judged):
        print(f"Missed, and why:\n\n{missed}\n")
    print(f"{room.name}, {_summary(judged, time.perf_counter() - begun)}", end="\n\n")
    if asked.out is not None:
        report = Report(
            room=room.name,
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            effort=asked.effort,
            facts=found,
            run=run,
            judged=judged,
            pictures=room.pictures,
            group=room.group,
        )
        for path in write(report, asked.out):
            print(f"wrote {path}")
    return judged


def _summary(judged: list[Judged], seconds: float) -> str:
    counted = {"held": 0, "missed": 0, "not measured": 0}
    for each in judged:
        counted[each.verdict] += 1
    said = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
    return f"bars: {said}; {seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
