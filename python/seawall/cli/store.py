"""``seawall store``: what is done to a store itself."""

from __future__ import annotations

import argparse

from seawall.cli import stores, tables
from seawall.cli.exits import CommandError, Exit

__all__ = ["declare", "run"]


def declare(parser: argparse.ArgumentParser) -> None:
    """Its subcommands and their arguments."""
    parser.description = "Prepares a store."
    below = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    migrate = below.add_parser(
        "migrate",
        help="makes the tables of a store, or brings them up to date",
        description="Makes what a store keeps its records in, or brings it up to date, whatever "
        "its URL says of migrate. By itself a store does so when it is first used; this is for "
        "those whose services have no right to. Doing it again changes nothing.",
    )
    stores.declare(migrate)
    migrate.add_argument(
        "--print", action="store_true", help="only print the script, for whoever is to run it"
    )


def run(arguments: argparse.Namespace) -> Exit:
    """Does it.

    Raises:
        CommandError: It can't go on.
    """
    from seawall import _core
    from seawall.stores import StoreError

    url = stores.url(arguments)
    script = _core.migration_script(url)
    if arguments.print:
        if arguments.json:
            tables.as_json({"script": script})
        elif script is not None:
            tables.say(script.rstrip())
        else:
            tables.note(f"{_core.public_url(url)} needs no script: it makes what it needs itself")
        return Exit.OK
    try:
        _core.migrate(url, arguments.timeout)
    except StoreError as error:
        raise CommandError(Exit.STORE_UNAVAILABLE, str(error)) from error
    if arguments.json:
        tables.as_json({"migrated": _core.public_url(url)})
    else:
        tables.say(f"{_core.public_url(url)} is up to date")
    return Exit.OK
