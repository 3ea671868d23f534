"""The results of one operation: written by its codec, read by that which wrote them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from seawall.codecs.classes import Classes
from seawall.codecs.codec import FIRST_OWN, Codec
from seawall.codecs.described import MOST
from seawall.codecs.errors import DecodeError, EncodeError
from seawall.codecs.json_text import JSON
from seawall.codecs.messagepack import MessagePack
from seawall.codecs.pickles import UnsafePickle
from seawall.errors import ConfigError

__all__ = ["CodecChoice", "Results", "chosen"]

#: A codec by its name, or one itself; None is MessagePack.
CodecChoice: TypeAlias = Codec | str | None

_NAMED: dict[str, Callable[[], Codec]] = {"messagepack": MessagePack, "json": JSON}


def chosen(codec: CodecChoice) -> Codec:
    """The codec that is meant.

    Raises:
        ConfigError: There is none of this name, or it is no codec.
    """
    if codec is None:
        return MessagePack()
    if isinstance(codec, str):
        make = _NAMED.get(codec)
        if make is not None:
            return make()
        rule = "must be 'messagepack', 'json' or a codec (pickle only as codecs.unsafe_pickle())"
        raise ConfigError("codec", [("codec", repr(codec), rule, None)])
    if isinstance(codec, type) or not _is_codec(codec):
        rule = "must be a name, or an object with name, number, encode and decode"
        raise ConfigError("codec", [("codec", repr(type(codec).__name__), rule, None)])
    number: Any = codec.number
    is_ours = isinstance(codec, MessagePack | JSON | UnsafePickle)
    if not is_ours and not (type(number) is int and FIRST_OWN <= number <= 255):
        rule = f"must be from {FIRST_OWN} to 255: smaller ones are seawall's own"
        raise ConfigError("codec", [("codec.number", repr(number), rule, None)])
    return codec


def _is_codec(given: object) -> bool:
    return isinstance(given, Codec)


class Results:
    """Writes and reads the results of one operation.

    What was written by MessagePack or JSON is read whichever of the two is configured now. What
    another codec wrote is read only if that is the one.

    Args:
        codec: What writes them.
        function: Its return annotation says which classes results may hold.
        expected: Such an annotation itself, for an operation that is no function.
        limit: The most bytes that a result may have.
    """

    def __init__(
        self,
        codec: CodecChoice = None,
        *,
        function: Callable[..., Any] | None = None,
        expected: object = None,
        limit: int = MOST,
    ) -> None:
        classes = Classes(expected, function=function)
        own = chosen(codec)
        self._limit = limit
        self._codec = own.expecting(classes, limit) if isinstance(own, MessagePack | JSON) else own
        self._readers: dict[int, Codec] = {self._codec.number: self._codec}
        # The usual one has its own errors and its own limit: nothing is to be checked after it.
        self._is_native = isinstance(own, MessagePack)
        given = own.given if isinstance(own, MessagePack | JSON) else ()
        for other in (MessagePack(given), JSON(given)):
            self._readers.setdefault(other.number, other.expecting(classes, limit))

    @property
    def packs(self) -> tuple[Callable[[Any], object], int] | None:
        """What native code writes them with, if the codec is the usual one: see `_core.pack`."""
        codec = self._codec
        if type(codec) is not MessagePack:
            return None
        return codec._lower, codec._limit  # pyright: ignore[reportPrivateUsage]

    def encode(self, value: object) -> tuple[int, bytes]:
        """The codec's number, and what it wrote.

        Raises:
            EncodeError: It can't be written, or is larger than it may be.
        """
        codec = self._codec
        if self._is_native:
            return MessagePack.number, codec.encode(value)
        try:
            data = codec.encode(value)
        except EncodeError:
            raise
        except Exception as error:
            raise EncodeError(codec.name, f"it raised {type(error).__name__}") from error
        if not isinstance(data, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise EncodeError(codec.name, "what it wrote is not bytes")
        if len(data) > self._limit:
            raise EncodeError(codec.name, "it is larger than a result may be")
        return codec.number, data

    def decode(self, number: int, data: bytes) -> object:
        """What was written by the codec of this number.

        Raises:
            DecodeError: That codec is none of this operation's, or it can't read it.
        """
        codec = self._readers.get(number)
        if codec is None:
            raise DecodeError(self._codec.name, _foreign(number))
        try:
            return codec.decode(data)
        except DecodeError:
            raise
        except Exception as error:
            raise DecodeError(codec.name, f"it raised {type(error).__name__}") from error


def _foreign(number: int) -> str:
    if number == UnsafePickle.number:
        return (
            "it was written as a pickle, which runs code when it is read; only an operation "
            "with codec=seawall.codecs.unsafe_pickle() reads it"
        )
    return f"it was written by codec number {number}, which this operation does not have"
