"""Which store a command is about, and how it says that there is none."""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seawall.cli import tables
from seawall.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from seawall.stores import Store

__all__ = ["declare", "opened", "url"]

VARIABLE = "SEAWALL_STORE"


def declare(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which."""
    parser.add_argument(
        "--store",
        metavar="URL",
        help=f"the store (default: what {VARIABLE} says, which no list of processes shows)",
    )
    parser.add_argument(
        "--namespace", default="default", help="whose records (default: %(default)s)"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="how long an answer is waited for (default: 10)",
    )


def url(arguments: argparse.Namespace) -> str:
    """The store's URL.

    Raises:
        CommandError: There is none, or one whose records are no other process's.
    """
    said: str = arguments.store or os.environ.get(VARIABLE, "")
    if not said:
        message = f"which store? Say --store URL, or set {VARIABLE}"
        raise CommandError(Exit.USAGE, message)
    if said.startswith("memory:"):
        message = "a store in memory is one process's own: another can't look at it"
        raise CommandError(Exit.USAGE, message)
    return said


@contextmanager
def opened(arguments: argparse.Namespace) -> Generator[Store]:
    """The store, for a command.

    Raises:
        CommandError: It gave no answer.
    """
    from seawall.stores import StoreError, StoreWarning, open_store

    def tell(message: Warning | str, *_: object, **__: object) -> None:
        tables.note(str(message))

    said = url(arguments)
    _check_file(said)
    try:
        with (
            warnings.catch_warnings(),
            open_store(said, namespace=arguments.namespace, timeout=arguments.timeout) as store,
        ):
            # Of no line of the command's own, and no reason not to do what was asked.
            warnings.simplefilter("always", StoreWarning)
            warnings.showwarning = tell
            yield store
    except StoreError as error:
        raise CommandError(Exit.STORE_UNAVAILABLE, str(error)) from error


def _check_file(url: str) -> None:
    """Refuses the URL of a file that is not there: to open it would make it, and find it empty."""
    from pathlib import Path
    from urllib.parse import unquote

    scheme, _, path = url.partition(":///")
    if scheme.lower() != "sqlite":
        return
    path = unquote(path.partition("?")[0])
    if path and not Path(path).exists():
        raise CommandError(Exit.STORE_UNAVAILABLE, f"there is no store in {path}")
