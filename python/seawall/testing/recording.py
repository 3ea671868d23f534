"""A listener that remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seawall import events

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

    _tokens: list[Any]

    def __init__(self) -> None:
        """Starts empty."""
        super().__init__()
        self._tokens = []

    @property
    def kinds(self) -> list[str]:
        """The kinds alone."""
        return [event.kind for event in self]

    def __enter__(self) -> Self:
        """Begins to listen."""
        self._tokens.append(events.start_recording(self))
        return self

    def __exit__(self, *_: object) -> None:
        """Stops listening; what was heard stays."""
        events.stop_recording(self._tokens.pop())
