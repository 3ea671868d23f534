"""What tells one operation from another: stored keys and fingerprints.

Each value has one form, tagged with its type: ``1``, ``"1"``, ``1.0``, ``True`` and
``Decimal("1")`` are five. Values of one type that are equal are one: dicts and sets have no order,
``Decimal("1.0")`` is ``Decimal("1.00")``, and of two datetimes that know their offset the instant
counts. The form is the same in every process, on every machine and under every Python; BLAKE3
makes 32 bytes of it. The user's ``__eq__`` and ``__hash__`` are never called.
"""

from __future__ import annotations

from seawall import _core

__all__ = ["fingerprint", "stored"]


def stored(key: object, /) -> bytes:
    """The bytes under which a store keeps `key`: UTF-8, at most 255 of them.

    A short text that any terminal can show is kept as it is. An int is ``~int:5``, a UUID
    ``~uuid:…``, and all else ``~1:`` with a digest, a text that itself begins with ``~`` included:
    no two keys meet.

    Raises:
        IdempotencyKeyError: It is None or empty, or something in it has no stable form.
    """
    return _core.canonical_key(key)


def fingerprint(value: object, /, name: str = "payload") -> bytes:
    """The digest of what an operation was called with, 32 bytes.

    Args:
        value: Any value that has a stable form.
        name: What an error calls it.

    Raises:
        IdempotencyKeyError: Something in it has no stable form; it says where.
    """
    return _core.canonical_digest(value, name)
