"""The hedge as a policy."""

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

__all__ = ["Hedge", "hedge"]


class Hedge(Declared, _core.Hedge):
    """Makes a call once more beside itself if it takes too long; the first good answer wins.

    To hedge a function is to say that it may run twice. When an attempt has not answered after
    ``delay``, or has failed, the next one starts, up to ``max_hedges``. The others are cancelled as
    soon as one has answered, and nobody waits for their end. If all fail the caller gets the error
    of the first that did. A rejection by a policy of seawall further in starts no other attempt,
    which would ask the same policy; nor does anything once the deadline has passed.

    Each attempt passes the policies inside of the hedge by itself. Those of a coroutine function
    are tasks of their own, with a copy of the caller's context; under trio they are system tasks.
    Plain functions run in threads of the hedge's own, where a loser goes on to its end: what it
    does is done. Generator functions and blocks can't be hedged.

    The instance is a decorator; `call` and `try_call` protect a single call.

    Args:
        name: Its name in the registry, in events, metrics and notes. Without one it is named
            after the first function that it is put on.
        replace: Take the name over from the hedge that has it, whatever its settings.
        **settings: See `HedgeSettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a hedge with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "hedge"

    def __new__(
        cls,
        name: str | None = None,
        *,
        replace: bool = False,
        **settings: t.Unpack[t.HedgeSettings],
    ) -> t.Self:
        """Gives back the hedge of that name, or makes it."""
        declared = dict(settings)

        def make(given: t.Any, named: bool) -> t.Any:
            return super(Hedge, cls).__new__(cls, given, named, declared)

        policy: t.Self = cls._claim(name, declared, make, replace=replace)
        return policy

    def reconfigure(self, **changes: t.Unpack[t.HedgeSettings]) -> None:
        """Changes settings in place, for calls that begin from now on.

        Counters are kept, and so are latencies, unless the window of the `quantile` changes. None
        brings a default back. The name goes on to stand for what was declared.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes)

    def snapshot(self) -> t.HedgeSnapshot:
        """Its counters at this moment, and its delay."""
        from seawall.policies.hedge.snapshot import HedgeSnapshot

        facts = self._snapshot()
        counts = Facts(facts.pop("counts"))
        pool = self._pool
        return HedgeSnapshot(
            settings=self.settings,
            counts=counts,
            threads=0 if pool is None else pool.threads,
            abandoned=0 if pool is None else pool.abandoned,
            **facts,
        )

    @property
    def settings(self) -> Facts:
        """The settings in force, defaults filled in; durations in seconds."""
        given = self._given()
        facts = self._settings()
        on, ignore = given.get("on"), given.get("ignore")
        facts["on"] = Exception if on is None else on
        facts["ignore"] = () if ignore is None else ignore
        for name in ("budget", "on_result", "on_event"):
            facts[name] = given.get(name)
        return Facts(facts)

    def __repr__(self) -> str:
        """Its name, and when it starts another attempt."""
        delay = self._settings()["delay"]
        after = f"{delay:g} s" if isinstance(delay, float) else f"quantile({delay.share:g})"
        return f"<Hedge {self.name!r} after {after}>"


@overload
def hedge(function: t.F, /) -> t.F: ...
@overload
def hedge(
    name: str | None = None, /, *, replace: bool = False, **settings: t.Unpack[t.HedgeSettings]
) -> Hedge: ...
@overload
def hedge(
    *, name: str | None, replace: bool = False, **settings: t.Unpack[t.HedgeSettings]
) -> Hedge: ...
def hedge(
    function: t.Any = None,
    /,
    *,
    name: t.Any = None,
    replace: bool = False,
    **settings: t.Unpack[t.HedgeSettings],
) -> t.Any:
    """Hedges a function: ``@hedge`` or ``@hedge(…)``.

    Takes what `Hedge` takes. Called, it gives back the policy itself, which is the decorator.

    Raises:
        ConfigError: See `Hedge`.
    """
    return decorated(Hedge, "hedge", function, name, replace=replace, **settings)
