"""Where the command line begins and ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence

from seawall.cli.commands import COMMANDS, Command, Listed
from seawall.cli.exits import CommandError, Exit
from seawall.cli.parser import parse
from seawall.errors import ConfigError

__all__ = ["main"]

#: What a shell says of a process that Ctrl-C ended.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, commands: Mapping[str, Listed] = COMMANDS) -> int:
    """Runs one command.

    Args:
        arguments: The words after ``seawall``; None: those of this process.
        commands: Those that there are.

    Returns:
        The exit code: see `Exit`, and 130 after Ctrl-C.

    Raises:
        SystemExit: Help or the version was asked for, and has been given.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        try:
            return _run(words, commands)
        finally:
            _flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has enough of it (`| head`). The interpreter flushes once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.PARTIAL


def _run(words: Sequence[str], commands: Mapping[str, Listed]) -> int:
    try:
        asked = parse(words, commands)
        command: Command = asked.module
        return command.run(asked)
    except CommandError as error:
        return _failed(error, as_json="--json" in words)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
        wrong = CommandError(Exit.USAGE, str(error), problems)
        return _failed(wrong, as_json="--json" in words)


def _flush() -> None:
    # None: whoever called has closed it.
    if sys.stdout is not None:
        sys.stdout.flush()


def _failed(error: CommandError, *, as_json: bool) -> int:
    if as_json:
        said = {
            "exit": int(error.code),
            "kind": error.code.name.lower(),
            "message": error.message,
            "problems": error.problems,
        }
        print(json.dumps({"error": said}))  # noqa: T201 - the answer of the command
    else:
        print(f"seawall: {error.message}", file=sys.stderr)  # noqa: T201 - likewise
    return error.code
