"""Deadlines: a time by which everything inside a block is to be done, however deep it lies."""

from __future__ import annotations

import sys

from seawall import _core, lazy
from seawall.policies.timeout.errors import DeadlineExceededError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token

    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["deadline", "exceeded", "remaining"]

# What an alarm has to do with the end of the work; see `_core.Deadline._settle`.
_EXPIRED, _LATE = 1, 2


def remaining() -> float | None:
    """Seconds until the deadline that holds here; 0.0: it has passed. None: there is none.

    What to hand to a client as its timeout.
    """
    return _core.remaining()


class _Block:
    """What sets or removes the deadline of a context for the time of a block."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        self._token: Token[t.Any] | None = None

    def _begin(self) -> None:
        if self._token is not None:
            raise RuntimeError(
                f"this {type(self).__name__} block was entered already, and not left: "
                "make one for each block"
            )

    def _end(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            _core.leave_deadline(token)


class detach(_Block):  # noqa: N801  reads as a verb
    """No deadline holds inside: for background work that is to outlive the request.

    What is started in the block does not inherit the deadline. The block itself is still cancelled
    by an ``async with deadline(…)`` around it: see `shield`.
    """

    __slots__ = ()

    def __enter__(self) -> t.Self:
        """Removes the deadline from this context."""
        self._begin()
        self._token = _core.detach_deadline()
        return self

    def __exit__(self, *_: object) -> None:
        """Puts it back."""
        self._end()

    async def __aenter__(self) -> t.Self:
        """As ``with``."""
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        """As ``with``."""
        self._end()


class shield(_Block):  # noqa: N801  reads as a verb
    """What is inside is finished, although the deadline may pass meanwhile.

    The task is not cancelled by deadlines of blocks around, nothing is bounded by them, and after
    the block they hold again: one that has passed cancels the task where it waits next. Other
    cancellations reach the inside as ever. Under trio, where a cancelled scope lets nothing inside
    it wait any more, a shield entered after the deadline has passed keeps out all cancellations.
    """

    __slots__ = ("_scope", "_suspended")

    async def __aenter__(self) -> t.Self:
        """Suspends the deadlines that could cancel this task."""
        self._begin()
        wall = _core.Deadline._wall()
        self._suspended = wall._suspend()
        self._scope = _trio_shield(self._suspended)
        self._token = wall._enter()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: object,
    ) -> bool:
        """Puts them back in force."""
        self._end()
        suspended, self._suspended = self._suspended, []
        scope, self._scope = self._scope, None
        try:
            if scope is None:
                return False
            swallowed: bool = scope.__exit__(exc_type, exc, traceback)
            return exc is not None and swallowed
        finally:
            for one in suspended:
                one._resume()


class deadline(_Block):  # noqa: N801  reads as a noun: `with deadline(5):`
    """A time by which everything inside is to be done. Nested, the earliest holds.

    ``with`` is cooperative: it bounds what seawall waits for, and what reads `remaining` or
    `check`; nothing is interrupted, and a result that comes late is still returned.
    ``async with`` also cancels the task when the time is over, as ``asyncio.timeout`` and
    ``trio.fail_after`` do, and raises `DeadlineExceededError` at the end of the block; also if
    what is inside swallowed the cancellation, or was late without ever waiting.

    It holds in the tasks that are started inside and in ``asyncio.to_thread``, not in other
    threads: see `seawall.carried`. The time begins when the block is entered.

    Example:
        >>> import seawall
        >>> with seawall.deadline(5.0):
        ...     seawall.remaining() <= 5.0
        True

    Args:
        seconds: How long; a plain number or a timedelta. 0 and less: over already.
        name: What errors call it; without one they name the place where it was set.

    Raises:
        ConfigError: It is no time, or longer than ten years.
    """

    __slots__ = ("_entry", "_name", "_seconds")

    def __init__(self, seconds: t.Seconds, /, *, name: str | None = None) -> None:
        super().__init__()
        # A wrong time is an error of whoever wrote it, not of who enters.
        self._entry = _core.Deadline(seconds)
        self._seconds = seconds
        self._name = name

    def remaining(self) -> float:
        """Seconds until the earliest deadline that holds inside; 0.0: it has passed."""
        nearest = self._entry._nearest or self._entry
        return nearest.remaining

    @property
    def expired(self) -> bool:
        """Whether the earliest deadline that holds inside has passed."""
        return self.remaining() <= 0.0

    @staticmethod
    def check() -> None:
        """Raises if the deadline that holds here has passed; does nothing if there is none.

        For loops that compute, between two steps.

        Raises:
            DeadlineExceededError: It has passed.
        """
        nearest = _core.current_deadline()
        if nearest is not None and nearest.expired:
            raise exceeded(nearest)

    detach = staticmethod(detach)
    shield = staticmethod(shield)

    def __enter__(self) -> t.Self:
        """Starts the time, for this context."""
        self._start(sys._getframe(1))
        return self

    def __exit__(self, *_: object) -> None:
        """Gives the context back the deadline that it had."""
        self._end()

    def __aenter__(self) -> t.Awaitable[t.Self]:
        """Starts the time, for this context and this task.

        Raises:
            RuntimeError: Neither asyncio nor trio runs this code.
        """
        # Not an `async def`, whose frame would stand between this and the one who enters.
        return self._arm(sys._getframe(1))

    async def _arm(self, frame: t.Any) -> t.Self:
        entry = self._start(frame)
        del frame
        try:
            entry._arm()
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: object,
    ) -> None:
        """Ends it.

        Raises:
            DeadlineExceededError: It has passed, and the block did not end with an error of its
                own.
        """
        entry = self._entry
        self._end()
        verdict, left = entry._settle(exc)
        if left is not None:
            context = left.__context__
            try:
                raise left
            finally:
                left.__context__ = context
                del left
        nearest = entry._nearest or entry
        if verdict == _EXPIRED:
            raise exceeded(nearest) from exc
        if exc is None:
            if nearest.expired:
                raise exceeded(nearest)
        elif verdict == _LATE:
            _explain(exc, nearest)

    def _start(self, frame: t.Any) -> _core.Deadline:
        self._begin()
        while frame.f_back is not None and frame.f_globals.get("__name__") == "contextlib":
            frame = frame.f_back  # an exit stack entered it for somebody
        entry = _core.Deadline(self._seconds, self._name, frame.f_code, frame.f_lineno or 0)
        self._token = entry._enter()
        self._entry = entry
        return entry

    def __repr__(self) -> str:
        """Its name and time."""
        name = "" if self._name is None else f" {self._name!r}"
        return f"<deadline{name} of {self._seconds!r} s>"


def exceeded(passed: _core.Deadline) -> DeadlineExceededError:
    """The error of a deadline that has passed."""
    where = None
    place = passed._place
    if place is not None:
        code, line = place
        where = f"{code.co_qualname}() at {code.co_filename}:{line}"
    error = DeadlineExceededError(passed.name, passed.limit, passed.elapsed, where)
    # A timeout of seawall's knows its own by it.
    error._deadline = passed
    return error


def _explain(error: BaseException, passed: _core.Deadline) -> None:
    # The work failed while it was cancelled: the cancellation in the error's history is put down to
    # the deadline, as asyncio.timeout does since 3.13.
    parts: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    for root in (error, *parts):
        at = root
        while (context := at.__context__) is not None:
            if type(context).__name__ in {"CancelledError", "Cancelled"}:
                why = exceeded(passed)
                why.__context__ = why.__cause__ = context
                at.__context__ = why
                break
            at = context


def _trio_shield(suspended: list[_core.Deadline]) -> t.Any:
    if not any(one._fired for one in suspended):
        return None
    lowlevel: t.Any = sys.modules.get("trio.lowlevel")
    if lowlevel is None or not lowlevel.in_trio_task():
        return None
    scope = sys.modules["trio"].CancelScope(shield=True)
    scope.__enter__()
    return scope
