"""What is inside of an exception: the errors it passes on, the members of a group.

Errors may hold one another in a ring, and groups may be nested deeper than Python recurses.
"""

from __future__ import annotations

from seawall.clients.signs import DEPTH, entry, look, made_of, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeGuard


def is_group(outcome: object) -> TypeGuard[ExceptionGroup[Exception]]:
    """Whether it is a group of nothing but Exceptions."""
    return isinstance(outcome, ExceptionGroup)


def members(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    """The members of a group and of the groups in it, which themselves are left out."""
    waiting: list[Exception] = [group]
    while waiting:
        member = waiting.pop()
        if is_group(member):
            waiting.extend(member.exceptions)
        else:
            yield member


def chain(error: Exception) -> list[Exception]:
    """An error, what it wraps, what it was made of, and what it was raised from: nearest first."""
    found = [error]
    level = found
    for _ in range(DEPTH):
        level = [inner for outer in level for inner in _inner(outer)]
        found = [*found, *level]
    return found


def _inner(error: Exception) -> Iterator[Exception]:
    for inner in {
        id(each): each
        # Botocore's errors are made of keywords.
        for each in (
            wrapped(error),
            made_of(error),
            entry(look(error, "kwargs"), "error"),
            look(error, "__cause__"),
        )
    }.values():
        if isinstance(inner, Exception):
            yield inner
