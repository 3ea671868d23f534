"""A listener that remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall import events
from seawall.testing.entries import Entries

if TYPE_CHECKING:
    from typing import Self

__all__ = ["record"]


class record(list[events.Event]):  # noqa: N801  reads as a verb: `with record() as told:`
    """The events told in its context, in order, as a list.

    Example:
        >>> import seawall
        >>> breaker = seawall.CircuitBreaker("doc-record")
        >>> with seawall.testing.record() as told:
        ...     breaker.force_open()
        >>> told.kinds
        ['breaker.forced_open']
    """

    _entries: Entries

    def __init__(self) -> None:
        """Starts empty."""
        super().__init__()
        self._entries = Entries()

    @property
    def kinds(self) -> list[str]:
        """The kinds alone."""
        return [event.kind for event in self]

    def __enter__(self) -> Self:
        """Begins to listen."""
        self._entries.add(events.start_recording(self))
        return self

    def __exit__(self, *_: object) -> None:
        """Stops listening; what was heard stays."""
        self._entries.undo(events.stop_recording)
