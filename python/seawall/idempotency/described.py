"""What objects are by: the name of their type, and their fields.

Native code asks this of values that are none of the plain types themselves. Types are recognised
by what they carry; no library is imported. The type's name goes with what is in it, so that two
classes with the same fields stay two.

What is derived from a plain type is that type's content under its own name, and its attributes. It
is read by the plain type's own methods: what the user wrote over them is not run.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
import weakref
from collections.abc import Callable, Iterable
from pathlib import PurePath, PureWindowsPath
from typing import Any

__all__ = ["attributes", "describe", "name_of", "names_of"]

#: The name, what is in it, and whether that is a dict of fields.
Described = tuple[str, object, bool]
Describer = Callable[[Any], Described]

_ALL = slice(None)
_NOTHING: frozenset[Any] = frozenset()
# In this order: of two that both fit, the narrower is first.
_PLAIN: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (int, int.__int__),
    (float, float.__float__),
    (complex, complex.__pos__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, _ALL)),
    (bytearray, lambda value: bytearray.__getitem__(value, _ALL)),
    (tuple, lambda value: tuple.__getitem__(value, _ALL)),
    (list, lambda value: list.__getitem__(value, _ALL)),
    (dict, dict.copy),
    (set, lambda value: set.__sub__(value, _NOTHING)),
    (frozenset, lambda value: frozenset.__sub__(value, _NOTHING)),
    (decimal.Decimal, decimal.Decimal),
    (uuid.UUID, lambda value: uuid.UUID(int=value.int)),
    (
        datetime.datetime,
        lambda at: datetime.datetime(  # noqa: DTZ001  it has the zone that it has
            at.year,
            at.month,
            at.day,
            at.hour,
            at.minute,
            at.second,
            at.microsecond,
            at.tzinfo,
            fold=at.fold,
        ),
    ),
    (datetime.date, lambda on: datetime.date(on.year, on.month, on.day)),
    (
        datetime.time,
        lambda at: datetime.time(
            at.hour, at.minute, at.second, at.microsecond, at.tzinfo, fold=at.fold
        ),
    ),
    (
        datetime.timedelta,
        lambda span: datetime.timedelta(span.days, span.seconds, span.microseconds),
    ),
)
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


def name_of(kind: type) -> str:
    """The full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def describe(value: object) -> Described | None:
    """What `value` is by, or None if it has no stable form."""
    kind = type(value)
    describer = _KNOWN.get(kind)
    if describer is None:
        describer = _KNOWN[kind] = _describer(kind)
    return describer(value)


_KNOWN: weakref.WeakKeyDictionary[type, Callable[[Any], Described | None]] = (
    weakref.WeakKeyDictionary()
)


def _describer(kind: type) -> Callable[[Any], Described | None]:
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
        extra = hasattr(kind, "__pydantic_extra__")

        def fields(value: Any) -> Described:
            found = attributes(value, listed)
            more = getattr(value, "__pydantic_extra__", None) if extra else None
            if more:
                found = dict(sorted({**found, **more}.items()))
            return name, found, True

        return fields
    standard = _STANDARD.get(name)
    if standard is not None:
        return lambda value: (name, standard(value), False)
    for plain, content in _PLAIN:
        if issubclass(kind, plain):
            slots = sorted(_slots(kind))

            def derived(value: Any, content: Callable[[Any], object] = content) -> Described:
                held = {**getattr(value, "__dict__", {}), **attributes(value, slots)}
                return name, {"content": content(value), **dict(sorted(held.items()))}, True

            return derived
    return lambda _value: None


def _member(member: enum.Enum) -> object:
    # A combination of flags has no name where one of them has none.
    return member._name_ if getattr(member, "_name_", None) is not None else member._value_


def names_of(kind: type, *, compared: bool = False) -> Iterable[str] | None:
    """The fields of a class that has such, or None.

    Those of dataclasses, of named tuples, and of the classes of pydantic, msgspec and attrs.

    Args:
        kind: The class.
        compared: Only those that two of its instances are compared by.
    """
    own: Any = kind
    if (fields := getattr(own, "__dataclass_fields__", None)) is not None:
        # What is no field (a ClassVar, an InitVar) is listed there too, marked as such.
        return [
            field.name
            for field in fields.values()
            if field._field_type.name == "_FIELD" and (field.compare or not compared)
        ]
    if issubclass(kind, tuple):
        return getattr(own, "_fields", None)
    if hasattr(own, "__pydantic_validator__"):
        return list(own.model_fields)
    if (structured := getattr(own, "__struct_fields__", None)) is not None:
        return list(structured)
    if (attributes := getattr(own, "__attrs_attrs__", None)) is not None:
        return [field.name for field in attributes if field.eq or not compared]
    return None


def attributes(value: object, names: Iterable[str]) -> dict[str, object]:
    """Those of `value` that are set, by their names."""
    missing = _NOTHING
    found = ((name, getattr(value, name, missing)) for name in names)
    return {name: held for name, held in found if held is not missing}


def _slots(kind: type) -> set[str]:
    found: set[str] = set()
    for each in kind.__mro__:
        slots = each.__dict__.get("__slots__", ()) if each.__module__ != "builtins" else ()
        found.update([slots] if isinstance(slots, str) else slots)
    return {name for name in found if not name.startswith("__")}
