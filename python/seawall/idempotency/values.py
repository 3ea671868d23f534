"""What an operation's results and errors are written as, and read from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seawall.codecs import CodecChoice, Failures, Results, is_immutable
from seawall.codecs.errors import EncodeError

if TYPE_CHECKING:
    from seawall.idempotency.settings import IdempotencySettings

__all__ = ["Values"]


class Values:
    """Writes and reads what an operation ends with.

    Args:
        settings: The operation's.
        function: Its function, of which the return annotation says what results are.
        expected: Such an annotation itself, for a block.
    """

    __slots__ = ("_failures", "_results", "decode", "is_immutable", "packs")

    def __init__(
        self,
        settings: IdempotencySettings,
        function: Callable[..., Any] | None = None,
        expected: object = None,
    ) -> None:
        codec: CodecChoice = settings.codec
        self._results = Results(
            codec, function=function, expected=expected, limit=settings.max_result
        )
        #: What the usual codec needs to write natively: what lowers objects, and its limit.
        self.packs = self._results.packs
        self._failures = Failures(settings.store_errors)
        self.decode: Callable[[int, bytes], Any] = self._results.decode
        self.is_immutable = is_immutable

    def encode(self, value: object) -> tuple[int, bytes] | None:
        """The codec's number and what it wrote; None: the value can't be kept."""
        try:
            return self._results.encode(value)
        except EncodeError:
            return None

    def encode_error(self, error: BaseException) -> tuple[int, bytes]:
        """The form's number, and the error in it."""
        return self._failures.encode(error)

    def decode_error(self, codec: int, data: bytes) -> BaseException:
        """The error that was written, or one that tells of it.

        Raises:
            DecodeError: What is stored can't be read.
        """
        return self._failures.decode(codec, data)
