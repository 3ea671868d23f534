"""`python -m benches.matrix`: run the scenarios, print who is right.

Exit status: 0, seawall broke no claim; 1, it broke one; 2, it could not be judged (not installed)
or the command line names something unknown.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benches.matrix import libraries, report
from benches.matrix.runner import Cell, run
from benches.matrix.scenarios import ALL, BY_NAME
from benches.matrix.verdict import Verdict

_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "matrix.md"


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and say whether the subject held."""
    parser = argparse.ArgumentParser(prog="python -m benches.matrix", description=__doc__)
    parser.add_argument("--only", action="append", metavar="LIB", help="this library (again: more)")
    parser.add_argument("--scenario", action="append", metavar="S", help="this scenario")
    parser.add_argument("--subject", default=libraries.SUBJECT, help="whose wrongs fail the run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--list", action="store_true", help="print the scenarios and their claims")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="processes at once")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds until a process hangs")
    asked = parser.parse_args(arguments)

    if asked.list:
        for scenario in ALL:
            print(f"{scenario.name}: {scenario.claim}")
        return 0
    names = asked.only or list(libraries.NAMES)
    try:
        for name in names:
            libraries.adapter(name)
        scenarios = [BY_NAME[name] for name in asked.scenario] if asked.scenario else ALL
    except (LookupError, ImportError) as error:
        parser.error(f"unknown: {error}")

    def tell(cell: Cell) -> None:
        if sys.stderr.isatty():
            print(f"\r{cell.library} {cell.scenario.name}\x1b[K", end="", file=sys.stderr)

    cells = run(names, scenarios, limit=asked.limit, jobs=asked.jobs, told=tell)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    table = report.Table(cells)
    print(report.as_json(table) if asked.json else report.text(table))
    if not asked.only and not asked.scenario:
        _DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
        _DOCUMENT.write_text(report.markdown(table), encoding="utf-8")

    verdicts = {cell.finding.verdict for cell in cells if cell.library == asked.subject}
    if any(verdict.is_failure for verdict in verdicts):
        return 1
    if Verdict.NOT_INSTALLED in verdicts:
        print(f"{asked.subject} is not installed: not judged", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
