"""Reads the headers of answers, in whatever mapping a client keeps them.

Headers come from the other side: how many there are and how long they are is its choice, so no
more is looked at than an honest answer has.
"""

from __future__ import annotations

from itertools import islice

from seawall.clients.signs import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias, TypeGuard

    Headers: TypeAlias = list[tuple[str, str]]

_MOST = 1000
"""How many headers are looked at."""
_MOST_CHOSEN = 100
"""How many of those that were asked for are taken."""
LONGEST = 256
"""Characters of a value that may mean something; what is longer does not."""


def listed(headers: object, names: frozenset[str]) -> Headers:
    """The headers of these names, which are in small letters: each name in small, each value.

    Args:
        headers: A mapping of any class, or pairs.
        names: What is asked for.
    """
    items = look(headers, "items")
    try:
        rows = items() if not _is_row(headers) and callable(items) else headers
        return list(islice(_chosen(rows, names), _MOST_CHOSEN)) if _is_iterable(rows) else []
    except Exception:  # noqa: BLE001 - whatever a stranger's mapping raises: it says nothing
        return []


def trailing(error: Exception) -> object:
    """The trailing metadata of a gRPC error, as pairs."""
    metadata = look(error, "trailing_metadata")
    try:
        # By iteration, never by `items`, which that of grpc.aio has, and which fails.
        rows = metadata() if callable(metadata) else None
        return list(islice(rows, _MOST)) if _is_iterable(rows) else None
    except Exception:  # noqa: BLE001 - a call that has not ended, or a stand-in: no metadata
        return None


def _chosen(rows: Iterable[object], names: frozenset[str]) -> Iterator[tuple[str, str]]:
    for row in islice(rows, _MOST):
        if _is_row(row) and len(row) == 2 and (name := _text(row[0]).lower()) in names:
            for value in row[1] if _is_row(row[1]) else (row[1],):
                yield name, _text(value)


def _text(given: object) -> str:
    # One more than counts, so that what is too long stays so.
    if isinstance(given, bytes):
        return given[: LONGEST + 1].decode("latin-1")
    if isinstance(given, str):
        return given[: LONGEST + 1]
    # Some mappings have numbers. Bounded, as Python writes no integer of 5000 digits.
    return repr(given) if isinstance(given, (int, float)) and abs(given) < 1e15 else ""


def _is_row(thing: object) -> TypeGuard[Sequence[object]]:
    return isinstance(thing, (list, tuple))


def _is_iterable(thing: object) -> TypeGuard[Iterable[object]]:
    return hasattr(type(thing), "__iter__")
