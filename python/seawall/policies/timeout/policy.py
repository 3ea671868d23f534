"""The timeout as a policy."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.facts import Facts
from seawall.policies.declared import Declared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Timeout", "timeout"]


class Timeout(Declared, _core.Timeout):
    """Bounds how long a call may take.

    A coroutine function's task is cancelled in time, and its caller gets a `CallTimeoutError`; an
    alarm is set only when the call first has to wait. A cancellation that somebody else asked for
    stays one. A plain function can't be stopped: it gets a deadline, which bounds every wait of
    seawall inside and which `remaining` tells to clients; a result that comes late is returned,
    since the call has had its effect. With ``pool="threads"`` it runs in another thread, which is
    given up when its time is over.

    The instance is a decorator; `call` and `try_call` protect a single call. For a block there is
    `deadline`.

    Args:
        seconds: How long a call may take.
        name: Its name in the registry, in events, metrics and errors. Without one it is named
            after the first function that it is put on.
        replace: Take the name over from the timeout that has it, whatever its settings.
        **settings: See `TimeoutSettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a timeout with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "timeout"

    def __new__(
        cls,
        seconds: t.Seconds,
        *,
        name: str | None = None,
        replace: bool = False,
        **settings: t.Unpack[t.TimeoutSettings],
    ) -> t.Self:
        """Gives back the timeout of that name, or makes it."""
        declared = {"seconds": seconds, **settings}

        def make(given: t.Any, named: bool) -> t.Any:
            return super(Timeout, cls).__new__(cls, given, named, declared)

        policy: t.Self = cls._claim(name, declared, make, replace=replace)
        return policy

    def reconfigure(
        self, *, seconds: t.Seconds | None = None, **changes: t.Unpack[t.TimeoutSettings]
    ) -> None:
        """Changes settings in place, for calls that begin from now on. Counters are kept.

        None brings a default back; of ``seconds``, which has none, it changes nothing. ``pool``
        can't be changed: what may be protected depends on it. The name goes on to stand for what
        was declared.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes if seconds is None else {"seconds": seconds, **changes})

    def snapshot(self) -> t.TimeoutSnapshot:
        """Its counters at this moment."""
        from seawall.policies.timeout.snapshot import TimeoutSnapshot

        pool = self._pool
        return TimeoutSnapshot(
            name=self.name,
            settings=self.settings,
            counts=Facts(self._counts()),
            in_flight=self._in_flight,
            threads=0 if pool is None else pool.threads,
            abandoned=0 if pool is None else pool.abandoned,
        )

    @property
    def settings(self) -> Facts:
        """The settings in force, defaults filled in; durations in seconds."""
        return Facts({**self._settings(), "on_event": self._given().get("on_event")})

    def __repr__(self) -> str:
        """Its name and length."""
        return f"<Timeout {self.name!r} {self._settings()['seconds']:g} s>"


def timeout(
    seconds: t.Seconds,
    *,
    name: str | None = None,
    replace: bool = False,
    **settings: t.Unpack[t.TimeoutSettings],
) -> Timeout:
    """Bounds how long a function may take: ``@timeout(2.0)``.

    Takes what `Timeout` takes, and gives back the policy itself, which is the decorator.

    Raises:
        ConfigError: See `Timeout`.
    """
    return Timeout(seconds, name=name, replace=replace, **settings)
