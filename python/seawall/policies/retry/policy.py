"""The retry as a policy."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.facts import Facts
from seawall.lazy import overload
from seawall.policies.declared import Declared, decorated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Retry", "retry"]


class Retry(Declared, _core.Retry):
    """Calls again what failed for a reason that may pass.

    A call that failed is asked about in a fixed order: is its error one of those to try again,
    is an attempt left, is trying again left to a retry around this one, is there time? Then it
    waits, and calls once more. What the caller gets in the end is the last error itself, with a
    note that says why there was no further attempt.

    Calls share nothing but the counters. Cancellation, Ctrl-C and the like are never tried again;
    nor is a rejection by a policy of seawall, unless ``on`` lists its class.

    The instance is a decorator; `call` and `try_call` protect a single call.

    Args:
        name: Its name in the registry, in events, metrics and notes. Without one it is named
            after the first function that it is put on.
        replace: Take the name over from the retry that has it, whatever its settings.
        **settings: See `RetrySettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a retry with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "retry"

    def __new__(
        cls,
        name: str | None = None,
        *,
        replace: bool = False,
        **settings: t.Unpack[t.RetrySettings],
    ) -> t.Self:
        """Gives back the retry of that name, or makes it."""
        declared = dict(settings)

        def make(given: t.Any, named: bool) -> t.Any:
            return super(Retry, cls).__new__(cls, given, named, declared)

        policy: t.Self = cls._claim(name, declared, make, replace=replace)
        return policy

    def reconfigure(self, **changes: t.Unpack[t.RetrySettings]) -> None:
        """Changes settings in place, for calls that begin from now on. Counters are kept.

        None brings a default back. The name goes on to stand for what was declared.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes)

    def __iter__(self) -> t.Iterator[t.Attempt]:
        """The attempts of one call, written out: ``for attempt in retry: with attempt: …``.

        The loop gives another attempt after one that failed, when it is due; it ends after one
        that was left without an error. What is not tried again is raised out of the block.
        """
        from seawall.policies.retry.attempts import Attempts

        return Attempts(self)

    def __aiter__(self) -> t.AsyncIterator[t.Attempt]:
        """As `__iter__`, for a task: ``async for attempt in retry: with attempt: …``."""
        from seawall.policies.retry.attempts import Attempts

        return Attempts(self)

    def snapshot(self) -> t.RetrySnapshot:
        """Its counters at this moment."""
        from seawall.policies.retry.snapshot import RetrySnapshot

        return RetrySnapshot(
            name=self.name,
            settings=self.settings,
            counts=Facts(self._counts()),
            in_flight=self._in_flight,
        )

    @property
    def settings(self) -> Facts:
        """The settings in force, defaults filled in; durations in seconds."""
        from seawall.clients import transient
        from seawall.policies.backoff import exponential

        given = self._given()
        facts = self._settings()
        defaults = {
            "on": transient,
            "ignore": (),
            "backoff": exponential(0.1, cap=5.0, jitter="full"),
            "retry_after": True,
            "reraise": True,
        }
        for name in ("on", "ignore", "on_result", "backoff", "retry_after", "reraise"):
            value = given.get(name)
            facts[name] = defaults.get(name) if value is None else value
        for name in ("budget", "before_sleep", "after_end", "on_event"):
            facts[name] = given.get(name)
        return Facts(facts)

    def __repr__(self) -> str:
        """Its name and how often it tries."""
        return f"<Retry {self.name!r} {self._settings()['attempts']} attempts>"


@overload
def retry(function: t.F, /) -> t.F: ...
@overload
def retry(
    name: str | None = None, /, *, replace: bool = False, **settings: t.Unpack[t.RetrySettings]
) -> Retry: ...
@overload
def retry(
    *, name: str | None, replace: bool = False, **settings: t.Unpack[t.RetrySettings]
) -> Retry: ...
def retry(
    function: t.Any = None,
    /,
    *,
    name: t.Any = None,
    replace: bool = False,
    **settings: t.Unpack[t.RetrySettings],
) -> t.Any:
    """Retries a function: ``@retry`` or ``@retry(…)``.

    Takes what `Retry` takes. Called, it gives back the policy itself, which is the decorator.

    Raises:
        ConfigError: See `Retry`.
    """
    return decorated(Retry, "retry", function, name, replace=replace, **settings)
