"""A retry written out as a loop: ``for attempt in retry: with attempt: …``."""

from __future__ import annotations

from seawall import _core, lazy, waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Attempt", "Attempts"]


class Attempts:
    """The attempts of one call: the next is given when the one before failed and time has passed.

    Leave the loop as you like: an attempt that is left without an error is a good end.
    """

    # No attempt is kept: it knows these, and a loop that is left is to be over at once.
    __slots__ = ("_left", "_number", "_run", "_wait")

    def __init__(self, retry: _core.Retry) -> None:
        """Made by iterating over a `Retry`."""
        self._run: _core.Retry | _core.Run = retry
        self._number = 0
        self._left = False
        #: Seconds until the next attempt; None: there is no further one.
        self._wait: float | None = 0.0

    def _begin(self) -> _core.Run:
        """The call, which begins with the first attempt."""
        if isinstance(self._run, _core.Retry):
            self._run = self._run._begin()
        elif not self._left:
            self._run.leave()
            raise RuntimeError("an attempt is to be entered: `for attempt in …: with attempt: …`")
        return self._run

    def _next(self) -> Attempt:
        self._number += 1
        self._left = False
        return Attempt(self, self._number)

    def __iter__(self) -> t.Self:
        """Itself."""
        return self

    def __next__(self) -> Attempt:
        """Waits until the next attempt is due, and gives it.

        Raises:
            StopIteration: The one before went well.
            NestedRetryError: The retry refuses to be inside of another.
            DeadlineExceededError: The deadline around has passed: no first attempt begins.
            Exception: The wait took so long that no further attempt can begin: what the last one
                raised.
        """
        if self._wait is None:
            raise StopIteration
        run = self._begin()
        if self._number:
            try:
                if self._wait:
                    waiting.sleep(self._wait, f"retry {run.name!r}")
                if run.goes_on():
                    return self._next()
            except BaseException:
                self._over(run)
                raise
            self._over(run)
            raise StopIteration
        return self._next()

    def __aiter__(self) -> t.Self:
        """Itself."""
        return self

    async def __anext__(self) -> Attempt:
        """As `__next__`, for a task."""
        if self._wait is None:
            raise StopAsyncIteration
        run = self._begin()
        if self._number:
            try:
                await waiting.asleep(self._wait)
                if run.goes_on():
                    return self._next()
            except BaseException:
                self._over(run)
                raise
            self._over(run)
            raise StopAsyncIteration
        return self._next()

    def _over(self, run: _core.Run) -> None:
        run.leave()
        self._wait = None

    def _ended(self, error: BaseException | None, value: object) -> bool:
        self._left = True
        self._wait = None
        if isinstance(self._run, _core.Run):
            self._wait = self._run.ended(error, value)
        return self._wait is not None


class Attempt:
    """One attempt: a block, entered once."""

    __slots__ = ("_attempts", "_value", "left", "number")

    def __init__(self, attempts: Attempts, number: int) -> None:
        """Made by `Attempts`."""
        # Only until it is left: those keep its error, whose traceback leads to who knows it.
        self._attempts: Attempts | None = attempts
        self._value: object = None
        #: Which attempt it is; the first is 1.
        self.number = number
        #: Was it entered and left?
        self.left = False

    def returned(self, value: t.R) -> t.R:
        """Says what the attempt came to, for ``on_result`` to judge. Gives ``value`` back."""
        self._value = value
        return value

    def __enter__(self) -> t.Self:
        """Begins it.

        Raises:
            RuntimeError: It was entered before.
        """
        if self.left:
            raise RuntimeError(f"attempt {self.number} is over: the loop gives the next")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: object,
    ) -> bool:
        """Ends it. An error that is to be tried again goes no further."""
        self.left = True
        attempts, self._attempts = self._attempts, None
        again = attempts is not None and attempts._ended(exc, self._value)
        return again and exc is not None

    async def __aenter__(self) -> t.Self:
        """As `__enter__`."""
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: object,
    ) -> bool:
        """As `__exit__`."""
        return self.__exit__(exc_type, exc, traceback)

    def __repr__(self) -> str:
        """Which it is."""
        return f"<attempt {self.number}>"
