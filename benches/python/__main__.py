"""``python -m benches.python``: runs the scenarios, prints figures and bars, writes the report."""

import argparse
import sys
import time
import warnings
from pathlib import Path

from . import breaker
from .bars import Judged, judge
from .figures import FULL, QUICK, Run, Table
from .machine import facts, pinned
from .report import GATING, Report, bars_table, reasons, table_text, write


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.python", description=__doc__)
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument(
        "--quick", dest="effort", action="store_const", const=QUICK, help="half a minute (default)"
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
        help="scenarios whose name begins so (repeatable); bars on others are not judged",
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
        print("\n".join(breaker.SCENARIOS))
        return 0
    chosen = [
        key
        for key in breaker.SCENARIOS
        if not asked.only or any(key.startswith(name) for name in asked.only)
    ]
    if not chosen:
        print(f"no scenario begins with {asked.only}; --list shows them", file=sys.stderr)
        return 2
    warnings.simplefilter("ignore")
    found = facts(breaker.DISTRIBUTIONS)
    tables: dict[str, Table] = {}
    begun = time.perf_counter()
    with pinned(asked.cpu):
        for key in chosen:
            tables[key] = breaker.SCENARIOS[key](asked.effort)
            print(table_text(tables[key]), end="\n\n", flush=True)
    run = Run(tables)
    judged = judge(breaker.BARS, run)
    if asked.only:
        judged = [each for each in judged if each.value is not None]
    print(f"## Bars\n\n{GATING}\n\n{bars_table(judged)}\n")
    if missed := reasons(judged):
        print(f"Missed, and why:\n\n{missed}\n")
    print(_summary(judged, time.perf_counter() - begun))
    if asked.out is not None:
        report = Report(
            room=breaker.ROOM,
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            effort=asked.effort,
            facts=found,
            run=run,
            judged=judged,
            pictures=breaker.PICTURES,
            group=breaker.group,
        )
        for path in write(report, asked.out):
            print(f"wrote {path}")
    return 1 if asked.strict and any(each.verdict != "held" for each in judged) else 0


def _summary(judged: list[Judged], seconds: float) -> str:
    counted = {"held": 0, "missed": 0, "not measured": 0}
    for each in judged:
        counted[each.verdict] += 1
    said = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
    return f"bars: {said}; {seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
