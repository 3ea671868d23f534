"""MessagePack: the codec that results are written by unless another is chosen."""

from __future__ import annotations

from typing import Any

from seawall import _core
from seawall.codecs.described import Described
from seawall.codecs.errors import DecodeError, EncodeError
from seawall.codecs.fields import class_of, name_of
from seawall.codecs.leaves import leaf_of, numbered
from seawall.codecs.objects import build, lower

__all__ = ["MessagePack"]


class MessagePack(Described):
    """Writes results as MessagePack: compact, native, and each value comes back as what it was.

    Plain data needs no annotation. Objects are written with the name of their class and made again
    only of classes that the return annotation or ``types`` names: dataclasses, named tuples, and
    those of pydantic, msgspec and attrs. Enums are also found by name if they are imported.

    Args:
        types: Classes that results may hold beside those that the annotation names.
    """

    name = "messagepack"
    number = 1

    def encode(self, value: object, /) -> bytes:
        """`value` as bytes.

        Raises:
            EncodeError: It can't be written; the error says what can't, and where it is.
        """
        return _core.pack(value, self._lower, self._limit, self.name)

    def decode(self, data: bytes, /) -> object:
        """The value that was written.

        Raises:
            DecodeError: The bytes are malformed, or hold what can't be made here.
        """
        return _core.unpack(data, self._raise, self._build, self.name)

    def _lower(self, value: Any) -> tuple[int | str, bytes | str | dict[str, object]]:
        leaf = leaf_of(class_of(value))
        try:
            if leaf is None:
                return lower(value, self._classes)
            return leaf.number, leaf.text(value).encode("utf-8", "surrogatepass")
        except Exception as error:
            problem = f"a {name_of(class_of(value))} raised {type(error).__name__} when it was read"
            raise EncodeError(self.name, problem) from error

    def _raise(self, number: int, data: bytes) -> object:
        leaf = numbered(number)
        if leaf is None:
            raise DecodeError(self.name, f"it holds values of a kind {number} unknown here")
        try:
            return leaf.value(data.decode("utf-8", "surrogatepass"))
        except Exception as error:
            problem = f"a {leaf.name} is malformed ({type(error).__name__})"
            raise DecodeError(self.name, problem) from error

    def _build(self, name: str, fields: dict[str, Any]) -> object:
        return build(name, fields, self._classes, self.name)
