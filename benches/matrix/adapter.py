"""What the matrix asks of a library: how a breaker is made, asked and told, and other policies.

An adapter uses the library as its own documentation says; it never mends it. What a library does
not offer raises `NotApplicable`, and what it refuses it refuses itself.
"""

from __future__ import annotations

import abc
import contextlib
import importlib.util
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar, Literal

from benches.matrix.clock import Clock, PatchedClock, RealClock
from benches.matrix.policies import Function, Guard, Pace, Space, Tries
from benches.matrix.verdict import NotApplicable


class Boom(Exception):
    """The failure that scenarios let happen."""


class Ignored(Exception):
    """The exception that a breaker is told to ignore."""


Kind = Literal["sync", "async"]
Policy = Literal["breaker", "bulkhead", "rate limit", "retry"]


@dataclass(frozen=True)
class Rate:
    """Trips at this share of failures among the last `window` calls, from `min_calls` on."""

    failures: float
    window: int
    min_calls: int


@dataclass(frozen=True)
class Settings:
    """A breaker in words that every library has: opens after `threshold` failures in a row."""

    threshold: int = 3
    recovery: float = 30.0
    half_open: int = 1
    ignore: tuple[type[Exception], ...] = ()
    counts: Callable[[BaseException], bool] | None = None
    rate: Rate | None = None
    slow: float | None = None
    """Seconds from which on a call is slow; `threshold` slow calls in a row open it."""

    def is_failure(self, error: BaseException) -> bool:
        """For libraries that take one predicate: what counts, by both settings.

        By default those libraries count `Exception` and not what lies beside it.
        """
        if not isinstance(error, Exception) or isinstance(error, self.ignore):
            return False
        return self.counts is None or self.counts(error)


class Breaker(abc.ABC):
    """One breaker of the library, asked through one face."""

    open_error: type[BaseException]

    @abc.abstractmethod
    def protect(self, function: Function) -> Function:
        """Decorate the function as the library's documentation says."""

    @abc.abstractmethod
    def state(self) -> str:
        """`closed`, `open` or `half_open`, as the library tells it."""

    def decorate(self, function: Function) -> Function:
        """`@breaker`, bare; differs from `protect` only where that isn't the documented way."""
        return self.protect(function)

    def call(self, function: Function) -> Any:
        """`breaker.call(function)`, where one method takes both kinds of function."""
        raise NotApplicable("no call() for both kinds of function")

    def force_open(self) -> Any:
        """Open it by hand; may return an awaitable."""
        raise NotApplicable("can't be opened by hand")

    def block(self) -> AbstractContextManager[Any]:
        """What stands in `with …:`."""
        raise NotApplicable("no with block")

    def async_block(self) -> AbstractAsyncContextManager[Any]:
        """What stands in `async with …:`."""
        raise NotApplicable("no async with block")

    def in_flight(self) -> int | None:
        """How many calls are let in and not ended, where the library tells."""
        return None

    def retry_after(self, error: BaseException) -> float | None:
        """Seconds until the next try, as the rejection itself says."""
        value = getattr(error, "retry_after", None)
        return None if value is None else float(value)


class Adapter(abc.ABC):
    """A library."""

    name: ClassVar[str]
    module: ClassVar[str]
    policies: ClassVar[tuple[Policy, ...]] = ("breaker",)
    kinds: ClassVar[tuple[Kind, ...]] = ("sync", "async")
    one_object: ClassVar[bool] = True
    """Whether one breaker takes sync and async functions, or there is a class for each."""
    limits_probes: ClassVar[bool] = False
    """Whether `Settings.half_open` can be set."""
    has_rates: ClassVar[bool] = False
    """Whether `Settings.rate` can be set."""
    has_slow_calls: ClassVar[bool] = False
    """Whether `Settings.slow` can be set, and generators are judged by it."""
    caveat: ClassVar[str] = ""
    """What a reader should know about how it was set up."""

    @classmethod
    def version(cls) -> str | None:
        """The installed version, or None."""
        if importlib.util.find_spec(cls.module) is None:
            return None
        try:
            return metadata.version(cls.name)
        except metadata.PackageNotFoundError:
            return "unversioned"

    def make(self, settings: Settings) -> Breaker:
        """A breaker of its own that has never been used."""
        raise NotApplicable("no circuit breaker")

    def bulkhead(self, space: Space) -> Guard:
        """A bulkhead of its own that has never been used."""
        raise NotApplicable("no bulkhead")

    def pooled(self, space: Space, seconds: float) -> Guard:
        """Plain functions run in so many threads of its own, for so long at most."""
        raise NotApplicable("no threads of its own")

    def rate_limit(self, pace: Pace) -> Guard:
        """A rate limit of its own that has never been used."""
        raise NotApplicable("no rate limit")

    def keyed_rate_limit(self, pace: Pace, keys: int) -> Callable[[str], bool]:
        """Whether a call of a key is let in now; room for so many keys, if there is a bound."""
        raise NotApplicable("no limit for each key")

    def retry(self, tries: Tries) -> Guard:
        """A retry of its own."""
        raise NotApplicable("no retry")

    def named(self, name: str, settings: Settings) -> Breaker:
        """A breaker of that name, from the library's registry where it has one."""
        raise NotApplicable("breakers have no names that anything is looked up by")

    def shared(self, settings: Settings, server: Any) -> Breaker:
        """A breaker that shares its state through a `fakeredis` server, as one process would."""
        raise NotApplicable("no state shared through Redis, or none set up here")

    def listed(self, name: str) -> int | None:
        """How many breakers the library lists under the name, where it lists any."""
        return None

    @contextlib.contextmanager
    def clock(self) -> Iterator[Clock]:
        """Time as this library's breakers see it: as it passes, unless there is another way."""
        yield RealClock()


class PatchedAdapter(Adapter):
    """A library whose modules read time by names that can be replaced."""

    @contextlib.contextmanager
    def clock(self) -> Iterator[Clock]:
        """Time that is moved on by hand."""
        clock = PatchedClock()
        self.patch(clock)
        yield clock

    @abc.abstractmethod
    def patch(self, clock: PatchedClock) -> None:
        """Put the clock where the library's modules read time."""


def now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise RuntimeError("the coroutine waited")
