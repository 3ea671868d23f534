"""JSON: for those who read their store with other tools.

Plain JSON stays what it is. All else is an object with the member ``$``, which says what it is:
``{"$": "decimal", "v": "1.50"}``. A dict that has such a member itself, or keys that are no texts,
is written as a list of pairs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from seawall.codecs.described import Described
from seawall.codecs.errors import DecodeError, EncodeError
from seawall.codecs.fields import class_of
from seawall.codecs.leaves import LEAVES, leaf_of
from seawall.codecs.objects import build, lower

__all__ = ["JSON"]

DEEPEST = 128
#: Longer than this an int is written in base 16: Python refuses to read it from base 10.
LONGEST_INT = 1 << 2048
_SHAPES: dict[str, Callable[[Any], object]] = {"tuple": tuple, "set": set, "frozenset": frozenset}


class JSON(Described):
    """Writes results as JSON, with each value coming back as what it was.

    It is larger and slower than MessagePack, and can be read in the store. Objects are treated
    alike.

    Args:
        types: Classes that results may hold beside those that the annotation names.
    """

    name = "json"
    number = 2

    def encode(self, value: object, /) -> bytes:
        """`value` as bytes.

        Raises:
            EncodeError: It can't be written; the error says what can't, and where it is.
        """
        written = self._written(value, "result", 0)
        data = json.dumps(written, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        encoded = data.encode("utf-8", "surrogatepass")
        if len(encoded) > self._limit:
            raise EncodeError(self.name, "it is larger than a result may be")
        return encoded

    def decode(self, data: bytes, /) -> object:
        """The value that was written.

        Raises:
            DecodeError: The bytes are malformed, or hold what can't be made here.
        """
        try:
            read = json.loads(data.decode("utf-8", "surrogatepass"), parse_constant=_refuse)
            return self._read(read, 0)
        except DecodeError:
            raise
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise DecodeError(self.name, f"it is malformed ({type(error).__name__})") from error

    def _written(self, value: Any, path: str, depth: int) -> object:
        kind = class_of(value)
        if value is None or kind in {bool, str}:
            return value
        if kind is int:
            return value if abs(value) < LONGEST_INT else {"$": "int", "v": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"$": "float", "v": repr(value)}
        if kind is bytes:
            return {"$": "bytes", "v": value.hex()}
        if depth >= DEEPEST:
            raise EncodeError(
                self.name, f"{path} is nested more than {DEEPEST} deep, or contains itself"
            )
        if kind is list:
            return self._items(value, path, depth)
        if kind in {tuple, set, frozenset}:
            return {"$": kind.__name__, "v": self._items(value, path, depth)}
        if kind is dict:
            return self._mapping(value, path, depth)
        leaf = leaf_of(kind)
        if leaf is not None:
            return {"$": leaf.name, "v": leaf.text(value)}
        name, fields = lower(value, self._classes)
        if isinstance(fields, str):
            raise EncodeError(self.name, f"{path} {fields}")
        named = fields.items()
        held = {each: self._written(item, f"{path}.{each}", depth + 1) for each, item in named}
        return {"$": "object", "of": name, "v": held}

    def _items(self, items: Iterable[Any], path: str, depth: int) -> list[object]:
        listed = enumerate(tuple(items))
        return [self._written(item, f"{path}[{at}]", depth + 1) for at, item in listed]

    def _mapping(self, entries: dict[Any, Any], path: str, depth: int) -> object:
        listed = list(entries.items())
        if "$" not in entries and all(type(key) is str for key, _ in listed):
            # What a key is may be anybody's business: a path names none.
            return {key: self._written(item, f"{path}[…]", depth + 1) for key, item in listed}
        pairs = [
            [self._written(each, f"{path}[…]", depth + 1) for each in entry] for entry in listed
        ]
        return {"$": "dict", "v": pairs}

    def _read(self, read: Any, depth: int) -> object:
        if depth > DEEPEST:
            raise DecodeError(self.name, "it is nested too deep")
        shape = class_of(read)
        if shape is list:
            return [self._read(item, depth + 1) for item in read]
        if shape is not dict:
            return read
        entries: dict[str, Any] = read
        tag = entries.get("$")
        if tag is None:
            return {key: self._read(item, depth + 1) for key, item in entries.items()}
        return self._shaped(tag, entries["v"], entries, depth)

    def _shaped(self, shape: str, value: Any, entries: dict[str, Any], depth: int) -> object:
        if shape == "object":
            held = {name: self._read(item, depth + 1) for name, item in value.items()}
            return build(entries["of"], held, self._classes, self.name)
        if shape == "dict":
            pairs = [
                (self._read(key, depth + 1), self._read(item, depth + 1)) for key, item in value
            ]
            made: dict[Any, object] = dict(pairs)
            if len(made) != len(pairs):
                raise DecodeError(self.name, "a dict has a key twice")
            return made
        if shape in _SHAPES:
            return _SHAPES[shape]([self._read(item, depth + 1) for item in value])
        if shape == "int":
            return int(value, 16)
        if shape == "float":
            return float(value)
        if shape == "bytes":
            return bytes.fromhex(value)
        leaf = LEAVES.get(shape)
        if leaf is None:
            raise DecodeError(self.name, "it holds values of a kind unknown here")
        try:
            return leaf.value(value)
        except Exception as error:
            problem = f"a {leaf.name} is malformed ({type(error).__name__})"
            raise DecodeError(self.name, problem) from error


def _refuse(constant: str) -> object:
    raise ValueError(constant)
