"""pickle, for those who ask for it by its full name.

Whoever can write into the store can run any code where a pickle is read. Nothing else in seawall
reads one: a result that was written so is refused unless this very codec is configured.
"""

from __future__ import annotations

import pickle

from seawall.codecs.errors import DecodeError, EncodeError

__all__ = ["UnsafePickle", "unsafe_pickle"]

# What every supported Python reads.
PROTOCOL = 5


class UnsafePickle:
    """Writes results as pickles. Made by `unsafe_pickle`."""

    name = "unsafe_pickle"
    number = 3

    def encode(self, value: object, /) -> bytes:
        """`value` as bytes.

        Raises:
            EncodeError: It can't be pickled.
        """
        try:
            return pickle.dumps(value, protocol=PROTOCOL)
        except Exception as error:
            problem = f"it can't be pickled ({type(error).__name__})"
            raise EncodeError(self.name, problem) from error

    def decode(self, data: bytes, /) -> object:
        """The value that was pickled. Reading it runs whatever the bytes say.

        Raises:
            DecodeError: It can't be unpickled.
        """
        try:
            return pickle.loads(data)  # noqa: S301  the user asked for it by its name
        except Exception as error:
            problem = f"it can't be unpickled ({type(error).__name__})"
            raise DecodeError(self.name, problem) from error


def unsafe_pickle() -> UnsafePickle:
    """A codec that pickles results.

    **Whoever can write into the store can run any code in this program**, by a record that it
    reads. Use it only for a store that nobody else reaches, and for results that no other codec
    writes.
    """
    return UnsafePickle()
