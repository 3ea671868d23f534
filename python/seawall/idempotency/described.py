"""What objects are told by: the name of their type, and their fields.

Native code asks this of values that are none of the plain types themselves. The type's name goes
with what is in it, so that two classes with the same fields stay two. What is derived from a plain
type is that type's value under its own name, and its attributes.
"""

from __future__ import annotations

import enum
import weakref
from collections.abc import Callable
from pathlib import PurePath, PureWindowsPath
from typing import Any

from seawall.codecs.fields import attributes, is_pydantic, name_of, names_of
from seawall.codecs.plain import plain_of, slots_of

__all__ = ["describe"]

#: The name, what is in it, and whether that is a dict of fields.
Described = tuple[str, object, bool]
Describer = Callable[[Any], "Described | None"]

# Those of the standard library that are made of plain values, without loading them.
_STANDARD: dict[str, Callable[[Any], object]] = {
    "builtins.memoryview": lambda view: (view.format, view.shape, view.tobytes()),
    "collections.deque": lambda items: (list(items), items.maxlen),
    "fractions.Fraction": lambda number: (number.numerator, number.denominator),
    "ipaddress.IPv4Address": str,
    "ipaddress.IPv4Network": str,
    "ipaddress.IPv6Address": str,
    "ipaddress.IPv6Network": str,
    "zoneinfo.ZoneInfo": lambda zone: zone.key,
}


def describe(value: object) -> Described | None:
    """What `value` is told by, or None if it has no stable form."""
    kind = type(value)
    describer = _KNOWN.get(kind)
    if describer is None:
        describer = _KNOWN[kind] = _describer(kind)
    return describer(value)


_KNOWN: weakref.WeakKeyDictionary[type, Describer] = weakref.WeakKeyDictionary()


def _describer(kind: Any) -> Describer:
    name = name_of(kind)
    if issubclass(kind, enum.Enum):
        return lambda member: (name, _member(member), False)
    if issubclass(kind, PurePath):
        # Its class is named otherwise on other systems and under other Pythons.
        flavour = "windows" if issubclass(kind, PureWindowsPath) else "posix"
        return lambda path: (f"pathlib.{flavour}", str(path), False)
    names = names_of(kind, compared=True)
    if names is not None:
        listed = sorted(names)
        read = _model if is_pydantic(kind) else attributes
        return lambda value: (name, read(value, listed), True)
    standard = _STANDARD.get(name)
    if standard is not None:
        return lambda value: (name, standard(value), False)
    plain = plain_of(kind)
    if plain is not None:
        content, slots = plain[1], slots_of(kind)

        def derived(value: Any) -> Described:
            held = {**getattr(value, "__dict__", {}), **attributes(value, slots)}
            return name, {"": content(value), **dict(sorted(held.items()))}, True

        return derived
    return lambda _value: None


def _model(value: Any, names: list[str]) -> dict[str, object]:
    extra: dict[str, object] = getattr(value, "__pydantic_extra__", None) or {}
    return dict(sorted({**attributes(value, names), **extra}.items()))


def _member(member: Any) -> object:
    # A combination of flags is no member and has a name of its own making.
    return member._value_ if isinstance(member, enum.Flag) else member._name_
