"""What commands print: tables, pairs, JSON. Nothing of it moves or has colours: it may be piped."""

# Printing is what all of this is for.
# ruff: noqa: T201

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from seawall.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from seawall._core import Address
    from seawall.stores import Record

__all__ = [
    "Deciding",
    "as_json",
    "fields",
    "kept_key",
    "kept_text",
    "key",
    "note",
    "pairs",
    "printable",
    "read_json",
    "say",
    "table",
]

Deciding: TypeAlias = "Callable[[Address], None]"
_ESCAPE = re.compile(r"\\(\\|[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def fields(record: Record, *, payload: bool = False) -> dict[str, object]:
    """A record as it is shown; what its result is only where that was asked for."""
    shown: dict[str, object] = {
        "namespace": printable(record.namespace),
        "scope": printable(record.scope),
        "key": printable(record.key),
        "state": record.state,
        "attempts": record.attempts,
        "fence": record.fence,
        "owner": record.owner,
        "on_lost": record.on_lost,
        "fingerprint": None if record.fingerprint is None else record.fingerprint.hex(),
        "created": _date(record.created),
        "changed": _date(record.changed),
        "lease_until": _date(record.lease_until),
        "hard_deadline": _date(record.hard_deadline),
        "expires": _date(record.expires),
        "size": record.size,
        "codec": record.codec,
    }
    if payload:
        data = record.data
        shown["payload"] = None if data is None else base64.b64encode(data).decode("ascii")
    return shown


def key(address: Address) -> str:
    """An address's key, as it is shown."""
    return printable(address.key.decode("utf-8", "surrogateescape"))


def kept_key(shown: str) -> bytes:
    """The bytes of a key that is shown so.

    Raises:
        CommandError: No key is shown so.
    """
    try:
        return kept_text(shown).encode("utf-8", "surrogateescape")
    except UnicodeError as error:
        message = f"no key is shown as {shown!a}: {error}"
        raise CommandError(Exit.USAGE, message) from error


def kept_text(shown: str) -> str:
    """The text that is shown so."""
    return _ESCAPE.sub(lambda found: found[0].encode().decode("unicode_escape"), shown)


def read_json(text: str, option: str) -> Any:
    """The value that an option gives.

    Raises:
        CommandError: It is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{option} must be JSON ({error}): a text is written '\"so\"'"
        raise CommandError(Exit.USAGE, message) from error


def as_json(value: object) -> None:
    """Prints one JSON value."""
    print(json.dumps(value, indent=2))


def table(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Prints one line for each row under a line of names. Columns are two blanks apart."""
    shown = [[_cell(row[column]) for column in columns] for row in rows]
    lines = [[column.upper() for column in columns], *shown]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def pairs(values: Mapping[str, object]) -> None:
    """Prints a line for each."""
    width = max(map(len, values))
    for name, value in values.items():
        print(f"{name.ljust(width)}  {_cell(value)}".rstrip())


def say(text: str) -> None:
    """Prints what was done."""
    print(text)


def note(text: str) -> None:
    """Says something beside the output."""
    print(f"seawall: {text}", file=sys.stderr)


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _date(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def printable(text: str) -> str:
    """The text, with what a terminal might obey, or can't show, written as an escape."""
    return "".join(
        "\\\\" if each == "\\" else each if each.isprintable() else ascii(each)[1:-1]
        for each in text
    )
