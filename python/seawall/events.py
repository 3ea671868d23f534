"""Events: what policies tell, and who hears it.

A policy decides first and tells afterwards, outside of every lock, on the thread whose call made
the change. A listener can't change the decision; whatever one raises is logged and counted,
and the others hear all the same. Nothing is built when nobody listens.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from seawall import _core
from seawall.errors import ConfigError

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Event", "Subscription", "listener_failures", "subscribe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a policy tells.

    Attributes:
        kind: What happened, as ``policy.what``: ``breaker.opened``.
        policy: The kind of policy: ``breaker``.
        name: The policy's name.
        key: Which of a keyed policy's states; None: that of calls without a key, or the only one
            there is. `seawall.OTHER_KEYS`: that which is shared.
        seq: Number in the order of this policy's events, of whatever key. Numbers only grow; gaps
            are events nobody listened to.
        at: Seconds on the monotonic clock.
        wall: Seconds since the epoch.
    """

    kind: str
    policy: str
    name: str
    key: object = None
    seq: int
    at: float
    wall: float


class Subscription:
    """A listener that hears events until it is cancelled. Also a context manager."""

    __slots__ = ("_hear", "_kinds", "_names", "_queue")

    def __init__(
        self,
        listener: Callable[[Any], object],
        kinds: Collection[str] | None,
        names: Collection[str] | None,
        *,
        background: bool,
    ) -> None:
        """Made by `subscribe`."""
        self._kinds = None if kinds is None else frozenset(kinds)
        self._names = None if names is None else frozenset(names)
        self._hear = listener
        self._queue = None
        if background:
            from seawall.background import Queue

            self._queue = Queue(lambda event: _raise_again(_hear(listener, event)))
            self._hear = self._queue.put

    @property
    def overflow(self) -> int:
        """Events that a full background queue had to drop."""
        return 0 if self._queue is None else self._queue.overflow

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until the background thread has heard what was told so far; True if it has."""
        return self._queue is None or self._queue.flush(timeout)

    def offer(self, event: Event) -> bool:
        """Lets the listener hear ``event`` if it is one of those asked for; see `_hear`."""
        if self._names is not None and event.name not in self._names:
            return False
        if self._kinds is not None and self._kinds.isdisjoint((event.kind, event.policy)):
            return False
        return _hear(self._hear, event)

    def cancel(self) -> None:
        """Hears nothing that is told from now on. Cancelling twice does nothing."""
        if _subscriptions.pop(self, self) is None:
            _core.listening(False)
            if self._queue is not None:
                self._queue.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Cancels."""
        self.cancel()


#: In the order of subscribing. Entries come, go and are listed in one step each, without a lock
#: that a fork could leave locked.
_subscriptions: dict[Subscription, None] = {}
_failures = 0
#: The policies that tell something; the `events` of each lists its `KINDS`.
_ROOMS = {
    **{
        policy: f"seawall.policies.{policy}.events"
        for policy in (
            "breaker",
            "budget",
            "bulkhead",
            "fallback",
            "hedge",
            "rate_limit",
            "retry",
            "timeout",
        )
    },
    "idempotency": "seawall.idempotency.events",
}
#: Those of this context.
_recordings: ContextVar[tuple[list[Event], ...]] = ContextVar("seawall_recordings", default=())


def subscribe(
    listener: Callable[[Any], object],
    *,
    kinds: Collection[str] | None = None,
    names: Collection[str] | None = None,
    background: bool = False,
) -> Subscription:
    """Lets ``listener`` hear the events of every policy.

    Args:
        listener: Called with each `Event`. One that raises is logged and counted.
        kinds: Only these: ``breaker.opened``, or ``breaker`` for all of a policy's.
        names: Only those of policies with these names.
        background: Hear them on a thread of its own, through a bounded queue: a slow listener
            then delays nobody's call. What overflows is dropped and counted.

    Raises:
        TypeError: The listener can't be called, or a string stands where several are wanted.
        ConfigError: No event is of one of ``kinds``.
    """
    if not callable(listener):
        raise TypeError(f"a listener must be callable, and {listener!r} is not")
    for what, given in (("kinds", kinds), ("names", names)):
        if isinstance(given, str):
            raise TypeError(f"{what} must be a collection of strings, not the string {given!r}")
    _check(kinds)
    subscription = Subscription(listener, kinds, names, background=background)
    _subscriptions[subscription] = None
    _core.listening(True)
    return subscription


def listener_failures() -> int:
    """How often a listener raised."""
    return _failures


def hear(hook: Callable[[Any], object], event: Event) -> None:
    """Lets a policy's hook hear ``event``. Called by the policies."""
    _raise_again(_hear(hook, event))


def publish(event: Event, on_event: Callable[[Any], object] | None) -> None:
    """Lets ``event`` be heard: by its policy's own listener first. Called by the policies."""
    interrupted = False
    if on_event is not None:
        interrupted = _hear(on_event, event)
    for recording in _recordings.get():
        recording.append(event)
    for subscription in list(_subscriptions):
        interrupted |= subscription.offer(event)
    _raise_again(interrupted)


def _hear(listener: Callable[[Any], object], event: Event) -> bool:
    """Lets one listener hear; True if Ctrl-C fell into it, which is then to be raised again."""
    global _failures
    try:
        listener(event)
    except KeyboardInterrupt:
        return True
    except BaseException as error:  # noqa: BLE001  not even an exit may keep the others from hearing
        _failures += 1
        return _log(listener, event, error)
    return False


def _log(listener: Callable[[Any], object], event: Event, error: BaseException) -> bool:
    try:
        import logging

        logging.getLogger("seawall").error(
            "listener %r failed on %s of %r", listener, event.kind, event.name, exc_info=error
        )
    except KeyboardInterrupt:
        return True
    except BaseException:  # noqa: BLE001  a filter or handler of the user's: it is counted
        return False
    return False


def _raise_again(interrupted: bool) -> None:
    # Once everybody has heard, and where the interpreter raises it by itself: in the main thread,
    # whichever thread this is, and through a handler of the user's if there is one.
    if interrupted:
        _thread.interrupt_main()


def _check(kinds: Collection[str] | None) -> None:
    known: list[str] = []
    for room in _ROOMS if kinds else ():
        known += [room, *import_module(_ROOMS[room]).KINDS]
    unknown = [kind for kind in kinds or () if kind not in known]
    if unknown:
        from difflib import get_close_matches

        problems: list[tuple[str, str, str, str | None]] = []
        for kind in unknown:
            nearest = next(iter(get_close_matches(str(kind), known, 1)), None)
            problems.append(("kinds", repr(kind), "is not a kind of event", nearest))
        raise ConfigError("subscribe", problems)


def start_recording(into: list[Event]) -> Any:
    """Adds what is told in this context to ``into``; gives back what ends it."""
    _core.listening(True)
    return _recordings.set((*_recordings.get(), into))


def stop_recording(token: Any) -> None:
    """Ends what `start_recording` began."""
    _recordings.reset(token)
    _core.listening(False)
