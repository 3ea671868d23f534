"""What writes results down and reads them again."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["FIRST_OWN", "Codec"]

#: Numbers below are seawall's.
FIRST_OWN = 128


@runtime_checkable
class Codec(Protocol):
    """What writes results down and reads them again: a codec of your own has this form.

    Attributes:
        name: What errors call it.
        number: From 128 to 255; it is stored beside what was written, and a result is only read
            by the codec of the same number. Never give one to another form.
    """

    @property
    def name(self) -> str:
        """What errors call it."""
        ...

    @property
    def number(self) -> int:
        """From 128 to 255."""
        ...

    def encode(self, value: object, /) -> bytes:
        """`value` as bytes.

        Raises:
            EncodeError: It can't be written. Any other exception means the same.
        """
        ...

    def decode(self, data: bytes, /) -> object:
        """The value that was written.

        Raises:
            DecodeError: It can't be read. Any other exception means the same.
        """
        ...
