"""What codecs raise. None shows a value."""

from __future__ import annotations

from seawall.errors import SeawallError

__all__ = ["DecodeError", "EncodeError", "ReplayedError"]


class EncodeError(SeawallError, TypeError):
    """A value can't be written down by a codec, so that it could be given again later."""

    @property
    def codec(self) -> str:
        """The codec's name."""
        return str(self.args[0])

    @property
    def problem(self) -> str:
        """What can't be written, and why. Never shows the value."""
        return str(self.args[1])

    def __str__(self) -> str:
        """Which codec, and what it can't write."""
        return f"codec {self.codec!r} can't write this: {self.problem}"


class DecodeError(SeawallError, ValueError):
    """What is stored can't be read, or not be made into what it was."""

    @property
    def codec(self) -> str:
        """The name of the codec that was to read it."""
        return str(self.args[0])

    @property
    def problem(self) -> str:
        """What is wrong. Never shows what is stored."""
        return str(self.args[1])

    def __str__(self) -> str:
        """Which codec, and what is wrong."""
        return f"codec {self.codec!r} can't read what is stored: {self.problem}"


class ReplayedError(SeawallError):
    """An operation failed before, and its error is told again, by name.

    It stands in for an exception whose class is not at hand here, or that can't be built again.

    Attributes:
        __notes__: Those of the first error.
    """

    @property
    def type_name(self) -> str:
        """The full name of the exception's class, such as ``shop.errors.CardDeclined``."""
        return str(self.args[0])

    @property
    def message(self) -> str:
        """What it said."""
        return str(self.args[1])

    def __str__(self) -> str:
        """What was raised at first."""
        said = f": {self.message}" if self.message else ""
        return f"the operation failed before, with {self.type_name}{said}"
