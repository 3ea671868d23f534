"""What is derived from a plain type, as that type's own value.

It is read by the plain type's own methods: what the user wrote over them is not run.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from typing import Any

__all__ = ["plain_of", "slots_of"]

_ALL = slice(None)
_NOTHING: frozenset[Any] = frozenset()
# Their items may be anything.
_TUPLE: Any = tuple
_LIST: Any = list
_DICT: Any = dict
_SET: Any = set
_FROZENSET: Any = frozenset


def _datetime(at: Any) -> object:
    return datetime.datetime(
        at.year,
        at.month,
        at.day,
        at.hour,
        at.minute,
        at.second,
        at.microsecond,
        at.tzinfo,
        fold=at.fold,
    )


def _time(at: Any) -> object:
    return datetime.time(at.hour, at.minute, at.second, at.microsecond, at.tzinfo, fold=at.fold)


# In this order: of two that both fit, the narrower is first.
_PLAIN: tuple[tuple[Any, Callable[[Any], object]], ...] = (
    (int, int.__int__),
    (float, float.__float__),
    (complex, complex.__pos__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, _ALL)),
    (bytearray, lambda value: bytearray.__getitem__(value, _ALL)),
    (tuple, lambda value: _TUPLE.__getitem__(value, _ALL)),
    (list, lambda value: _LIST.__getitem__(value, _ALL)),
    (dict, _DICT.copy),
    (set, lambda value: _SET.__sub__(value, _NOTHING)),
    (frozenset, lambda value: _FROZENSET.__sub__(value, _NOTHING)),
    (decimal.Decimal, decimal.Decimal),
    (uuid.UUID, lambda value: uuid.UUID(int=value.int)),
    (datetime.datetime, _datetime),
    (datetime.date, lambda on: datetime.date(on.year, on.month, on.day)),
    (datetime.time, _time),
    (
        datetime.timedelta,
        lambda span: datetime.timedelta(span.days, span.seconds, span.microseconds),
    ),
)


def plain_of(kind: type) -> tuple[Any, Callable[[Any], object]] | None:
    """The plain type that `kind` is derived from, and what reads its value; or None."""
    return next((each for each in _PLAIN if issubclass(kind, each[0])), None)


def slots_of(kind: type) -> list[str]:
    """The slots of a class and of those that it is derived from, builtins aside."""
    found: set[str] = set()
    for each in kind.__mro__:
        slots = each.__dict__.get("__slots__", ()) if each.__module__ != "builtins" else ()
        found.update([slots] if isinstance(slots, str) else slots)
    return sorted(name for name in found if not name.startswith("__"))
