"""The parser of the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from seawall.cli.commands import Listed
from seawall.cli.exits import CommandError, Exit

__all__ = ["parse"]


class _Parser(argparse.ArgumentParser):
    """Has ``--json``, as have the parsers of its subcommands, which are of its class.

    An option is never guessed from its first letters: a script that relied on it would break with
    the next one that begins alike.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        named["allow_abbrev"] = False
        super().__init__(*arguments, **named)
        self.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="print one JSON value, and nothing else",
        )

    def error(self, message: str) -> NoReturn:
        """Leaves it to the caller how to say it."""
        raise CommandError(Exit.USAGE, f"{message}\n{self.format_usage().rstrip()}")


class _Version(argparse.Action):
    """Looks the version up when somebody asks for it; as JSON, if that is its ``const``."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        found = version("seawall")
        said = json.dumps({"version": found}) if self.const else f"seawall {found}"
        print(said)  # noqa: T201 - it is what was asked for
        parser.exit()


def parse(arguments: Sequence[str], commands: Mapping[str, Listed]) -> argparse.Namespace:
    """What was asked for: the options, ``json``, and the module of the command as ``module``.

    No command is loaded but the one that is named.

    Raises:
        CommandError: It makes no sense.
        SystemExit: Help or the version was asked for, and has been given.
    """
    parser = _Parser(
        prog="seawall",
        description="A resilience runtime for Python services.",
        epilog="Exit codes: 0 done, 1 failed in part, 2 wrong usage, 3 store unavailable, "
        "4 nothing matched.",
    )
    parser.add_argument(
        "--version",
        nargs=0,
        action=_Version,
        const="--json" in arguments,
        help="print the version",
    )
    # No option before the command takes a value.
    named = next((word for word in arguments if not word.startswith("-")), None)
    below = parser.add_subparsers(metavar="COMMAND", required=True)
    chosen: argparse.ArgumentParser = parser
    for name, command in commands.items():
        theirs = below.add_parser(name, help=command.summary, description=command.summary)
        if name == named:
            module = command.load()
            module.declare(theirs)
            theirs.set_defaults(module=module)
            chosen = theirs
    asked, unknown = parser.parse_known_args(arguments, argparse.Namespace(json=False))
    if unknown:
        # By itself argparse would show the usage of `parser`, whose option it was not to be.
        chosen.error(f"unrecognized arguments: {' '.join(unknown)}")
    return asked
