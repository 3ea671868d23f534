"""Which commands there are. To add one: a module with `declare` and `run`, and a line here."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from seawall.cli.exits import Exit

__all__ = ["COMMANDS", "Command", "Listed"]


class Command(Protocol):
    """What the module of a command has."""

    def declare(self, parser: argparse.ArgumentParser) -> None:
        """Adds its arguments, and its own subcommands if it has some. ``--json`` is there."""
        ...

    def run(self, arguments: argparse.Namespace) -> Exit:
        """Does it. With ``arguments.json`` it prints one JSON value and nothing else.

        Raises:
            CommandError: It can't go on.
        """
        ...


class Listed(NamedTuple):
    """A command that is there, not loaded yet."""

    module: str
    summary: str

    def load(self) -> Command:
        """Its module."""
        return cast("Command", import_module(self.module))


COMMANDS: dict[str, Listed] = {
    "demo": Listed("seawall.cli.demo", "a shop in an outage, without seawall and with it"),
    "idempotency": Listed("seawall.cli.idempotency", "operations that a store keeps"),
    "store": Listed("seawall.cli.store", "prepares a store"),
}
