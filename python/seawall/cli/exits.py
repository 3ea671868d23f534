"""How a command ends, and how it says that it can't go on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

__all__ = ["CommandError", "Exit"]


class Exit(IntEnum):
    """What a command's exit code means; the same for every command."""

    OK = 0
    """Everything that was asked for was done."""
    PARTIAL = 1
    """Some of it failed, or what was checked does not hold; the output says what."""
    USAGE = 2
    """Asked for in a wrong way, or something that it needs is not there. Nothing was done."""
    STORE_UNAVAILABLE = 3
    """The store could not be reached."""
    NOTHING_MATCHED = 4
    """There is nothing of what was asked for."""


class CommandError(Exception):
    """Ends a command.

    Attributes:
        code: How the process exits.
        message: What happened and what to do about it, in a sentence.
        problems: Each thing that is wrong, where there may be several.
    """

    def __init__(self, code: Exit, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.problems = list(problems)
