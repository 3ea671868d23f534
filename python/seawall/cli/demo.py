"""``seawall demo``: a shop in an outage, without seawall and with it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from seawall.cli.exits import CommandError, Exit

__all__ = ["declare", "run"]

NEEDED = ("httpx", "rich", "starlette", "uvicorn")
REPORT = "seawall-demo.html"


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.description = (
        "Starts a shop, the two services that it calls, and its users, as processes on this "
        "machine; has the services get slow, hang and recover; first without seawall, then with "
        "it. Takes a minute and a half. Exits with 1 if seawall did not help."
    )
    parser.add_argument("--fast", action="store_true", help="a short outage: under thirty seconds")
    parser.add_argument("--seed", type=int, default=1, help="of users and services (default: 1)")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path(REPORT),
        metavar="FILE",
        help=f"where the report goes (default: {REPORT})",
    )


def run(arguments: argparse.Namespace) -> Exit:
    """Lives through the outage twice.

    Raises:
        CommandError: It can't be run here, or one of its processes died.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        named = " and ".join([", ".join(missing[:-1]), missing[-1]] if missing[1:] else missing)
        message = f"the demo needs {named}: pip install 'seawall[demo]'"
        raise CommandError(Exit.USAGE, message, missing)
    report: Path = arguments.report
    # Asked now: nobody wants to hear of it after a minute and a half.
    if why := _unwritable(report):
        raise CommandError(Exit.USAGE, f"the report can't be written to {report}: {why}")

    from seawall.demo import shown as demo
    from seawall.demo.processes import ChildError

    try:
        shown = demo.show(
            fast=arguments.fast, seed=arguments.seed, report=report, quiet=arguments.json
        )
    except BrokenPipeError:
        raise  # nobody reads any more: there is nobody to tell
    except (ChildError, OSError) as error:
        raise CommandError(Exit.PARTIAL, f"the demo could not be finished: {error}") from error
    if arguments.json:
        print(json.dumps(shown.as_json(), indent=2))  # noqa: T201 - it was asked for
    else:
        for fault in shown.faults:
            print(f"seawall did not help: {fault}", file=sys.stderr)  # noqa: T201 - the verdict
        print(*([] if shown.faults else ["seawall helped."]), f"The report is in {report}.")  # noqa: T201 - likewise
    return Exit.PARTIAL if shown.faults else Exit.OK


def _unwritable(report: Path) -> str | None:
    """Why a file can't be written, as far as that can be known without writing it."""
    if report.is_dir():
        return "that is a folder"
    if not report.parent.is_dir():
        return f"there is no folder {report.parent}"
    if not os.access(report if report.exists() else report.parent, os.W_OK):
        return "no permission"
    return None
