"""Names that are loaded when somebody asks for them.

Most programs never look at an event's class or at the testing ground, and each start of a command
line tool or a worker would pay for them.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, overload
else:

    def overload(function):  # noqa: ANN001, ANN201  type checkers see that of typing
        """That of `typing`, which is not loaded for it: only type checkers look at overloads."""
        return function


__all__ = ["homes", "module", "names", "overload"]


class _Module:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        __import__(self._name)
        return getattr(sys.modules[self._name], attribute)


def module(name: str) -> Any:
    """What stands for the module ``name`` until somebody asks it for an attribute.

    For annotations, which are text that few programs ever evaluate.
    """
    return _Module(name)


def homes(rooms: Mapping[str, str]) -> dict[str, str]:
    """Name → module, of module → names with spaces between them."""
    return {name: room for room, listed in rooms.items() for name in listed.split()}


def names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package with names that are loaded when asked for.

    Args:
        package: Its ``__name__``.
        homes: Name → the module that has it; a module that is itself the name is loaded as such.
    """

    def look_up(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        __import__(home)
        module = sys.modules[home]
        value = module if home == f"{package}.{name}" else getattr(module, name)
        # An ordinary attribute from now on.
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return look_up, listed
