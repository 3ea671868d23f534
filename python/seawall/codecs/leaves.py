"""Values of the standard library that a text says all of.

Each kind has a number and a name that never change: they are stored. A class that may not be
loaded is named, and loaded when one is read: the names are those here, never those of the data.
"""

from __future__ import annotations

import datetime
import decimal
import importlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seawall.codecs import times
from seawall.codecs.fields import name_of

__all__ = ["LEAVES", "Leaf", "leaf_of", "numbered"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A kind of value.

    Attributes:
        number: Its number in MessagePack.
        name: Its name in JSON.
        kind: The full name of its class.
        text: What writes one.
        value: What reads one; it may raise whatever it likes.
    """

    number: int
    name: str
    kind: str
    text: Callable[[Any], str]
    value: Callable[[str], object]


def _loaded(kind: str) -> Any:
    module, _, name = kind.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _of(kind: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        return _loaded(kind)(text)

    return read


def _delta(text: str) -> object:
    days, seconds, microseconds = map(int, text.split(","))
    return datetime.timedelta(days, seconds, microseconds)


def _complex(text: str) -> object:
    real, imag = map(float.fromhex, text.split(","))
    return complex(real, imag)


def _range(text: str) -> object:
    start, stop, step = map(int, text.split(","))
    return range(start, stop, step)


_ALL = (
    Leaf(16, "datetime", "datetime.datetime", times.datetime_text, times.datetime_of),
    Leaf(17, "date", "datetime.date", str, datetime.date.fromisoformat),
    Leaf(18, "time", "datetime.time", times.time_text, times.time_of),
    Leaf(
        19,
        "timedelta",
        "datetime.timedelta",
        lambda span: f"{span.days},{span.seconds},{span.microseconds}",
        _delta,
    ),
    Leaf(20, "decimal", "decimal.Decimal", str, decimal.Decimal),
    Leaf(21, "uuid", "uuid.UUID", str, uuid.UUID),
    Leaf(
        22,
        "complex",
        "builtins.complex",
        lambda number: f"{number.real.hex()},{number.imag.hex()}",
        _complex,
    ),
    Leaf(23, "bytearray", "builtins.bytearray", bytearray.hex, bytearray.fromhex),
    Leaf(24, "path", "pathlib.PosixPath", str, _of("pathlib.PosixPath")),
    Leaf(25, "windows path", "pathlib.WindowsPath", str, _of("pathlib.WindowsPath")),
    Leaf(26, "pure path", "pathlib.PurePosixPath", str, _of("pathlib.PurePosixPath")),
    Leaf(27, "pure windows path", "pathlib.PureWindowsPath", str, _of("pathlib.PureWindowsPath")),
    Leaf(28, "fraction", "fractions.Fraction", str, _of("fractions.Fraction")),
    Leaf(29, "ipv4", "ipaddress.IPv4Address", str, _of("ipaddress.IPv4Address")),
    Leaf(30, "ipv6", "ipaddress.IPv6Address", str, _of("ipaddress.IPv6Address")),
    Leaf(31, "ipv4 network", "ipaddress.IPv4Network", str, _of("ipaddress.IPv4Network")),
    Leaf(32, "ipv6 network", "ipaddress.IPv6Network", str, _of("ipaddress.IPv6Network")),
    Leaf(33, "zone", "zoneinfo.ZoneInfo", lambda zone: zone.key, times.zone),
    Leaf(
        34,
        "range",
        "builtins.range",
        lambda span: f"{span.start},{span.stop},{span.step}",
        _range,
    ),
)

LEAVES: dict[str, Leaf] = {leaf.name: leaf for leaf in _ALL}
_BY_NUMBER = {leaf.number: leaf for leaf in _ALL}
_BY_KIND = {leaf.kind: leaf for leaf in _ALL}
# No other classes than those of the list: it is as long as that at most.
_KNOWN: dict[type, Leaf] = {}


def leaf_of(kind: Any) -> Leaf | None:
    """What writes values of this class itself, or None."""
    leaf = _KNOWN.get(kind)
    if leaf is None:
        # Newer Pythons keep the classes of paths elsewhere.
        leaf = _BY_KIND.get(name_of(kind).replace("pathlib._local.", "pathlib."))
        if leaf is None or _loaded(leaf.kind) is not kind:
            return None
        _KNOWN[kind] = leaf
    return leaf


def numbered(number: int) -> Leaf | None:
    """The one with this number."""
    return _BY_NUMBER.get(number)
