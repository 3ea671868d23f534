"""seawall as it is installed: imported when a contender is built, so that peers run without."""

from importlib import import_module
from itertools import count
from typing import Any

_serial = count()


def package() -> Any:
    """The installed ``seawall``."""
    return import_module("seawall")


def fresh_name(what: str = "bench") -> str:
    """A name that no other contender has: each one has state of its own."""
    return f"{what}-{next(_serial)}"


def pipeline(*policies: Any) -> Any:
    """A pipeline with a name of its own; without policies it is the native floor."""
    return package().Pipeline(fresh_name("pipeline"), *policies)
