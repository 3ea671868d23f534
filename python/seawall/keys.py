"""What stands for the calls whose key has no state of its own."""

from __future__ import annotations

__all__ = ["OTHER_KEYS"]


class _OtherKeys(str):
    """Equal to itself alone, so that no key of a user's is taken for it."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Identity: a key with the same text is another."""
        return self is other

    def __ne__(self, other: object) -> bool:
        """See `__eq__`; text would compare as text."""
        return self is not other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        """Without quotes: it is no text that somebody wrote."""
        return str.__str__(self)

    def __reduce__(self) -> str:
        """Copied and unpickled, it is this object."""
        return "OTHER_KEYS"


#: The state that keys share which found no room for one of their own, in `CircuitBreaker.keys`,
#: in events and errors, and to ask for it by: ``breaker.snapshot(key=seawall.OTHER_KEYS)``. It
#: reads ``<other keys>``; a key of yours that reads the same is another key.
OTHER_KEYS = _OtherKeys("<other keys>")
