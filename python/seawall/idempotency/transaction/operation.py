"""What is to happen once, and how its row is written and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from seawall.stores.errors import StoreDamagedError, StoreError, StoreNewerError

__all__ = ["DEFAULT_SCHEMA", "Operation", "address"]

DEFAULT_SCHEMA: Final = "seawall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What is to happen once in a transaction of the user's.

    Attributes:
        name: The operation's name, which is the scope of its key.
        key: The key, as it is shown.
        id: Namespace, scope and key in one, which no other three are.
        fingerprint: Of what the key stands for; None: it is not looked at.
        encode: What writes a result: its codec and its bytes; None: it can't be kept.
        decode: What reads one.
        ttl: For how many seconds the end is remembered.
        wait: For how many seconds another transaction with the key is waited for.
        on_conflict: Or whether it is not waited for at all.
        schema: The schema that the table is in.
        default: What callers get for a result that could not be kept; raises if there is none.
    """

    name: str
    key: str
    id: bytes
    fingerprint: bytes | None
    encode: Callable[[Any], tuple[int, bytes] | None]
    decode: Callable[[int, bytes], Any]
    default: Callable[[], Any]
    ttl: float
    wait: float
    on_conflict: Literal["wait", "refuse"] = "wait"
    schema: str = DEFAULT_SCHEMA

    @property
    def place(self) -> str:
        """Where its row is, for errors."""
        return f"postgresql (the transaction's connection, schema {self.schema!r})"

    def checksum(
        self, state: int, codec: int | None, result: bytes | None, fingerprint: bytes | None
    ) -> bytes:
        """What a row must say of what it says. A row that was moved or changed says another."""
        # The lengths go before, so that no part can make up for another.
        parts = (self.id, fingerprint, b"" if codec is None else b"%d" % codec, result)
        digest = sha256(b"seawall transaction %d" % state)
        for part in parts:
            digest.update(b"-" if part is None else b"%d:%b" % (len(part), part))
        return digest.digest()

    def damaged(self, what: str) -> StoreError:
        """The error of a row that can't be."""
        return StoreDamagedError(
            self.place, f"the row of {self.key!r} of {self.name!r} is damaged: {what}"
        )

    def newer(self, layout: int) -> StoreError:
        """The error of a row that is not understood."""
        return StoreNewerError(
            self.place, f"the row of {self.key!r} of {self.name!r} has layout {layout}"
        )


def address(namespace: str, scope: str, key: bytes) -> bytes:
    """The three in one: lengths go before, so that no three look like another three."""
    names = (namespace.encode(), scope.encode())
    return b"".join(bytes([len(name)]) + name for name in names) + key
