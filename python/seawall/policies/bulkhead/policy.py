"""The bulkhead as a policy."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.facts import Facts
from seawall.lazy import overload
from seawall.policies.declared import ALL, Declared, decorated, keyed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Bulkhead", "bulkhead"]


class Bulkhead(Declared, _core.Bulkhead):
    """Bounds how many calls run at once, so that one slow service can't take every thread.

    A call takes a permit and gives it back when it ends, in whatever way. If none is free it waits
    for at most ``max_wait``, behind those that came before, or gets a `BulkheadFullError`. Threads
    and the tasks of any event loop wait in one queue, each in its own way; who gives up, or is
    cancelled, leaves it. A generator keeps its permit until it is done or closed, a block until it
    is left. With ``pool="threads"`` plain functions run in threads of the bulkhead's own.

    The instance is a decorator, and a block: ``with bulkhead:``, ``async with bulkhead:``; `call`
    and `try_call` protect a single call. Names are kept in `seawall.registry`: the same name with
    the same settings is the same bulkhead.

    Args:
        name: Its name in the registry, in events, metrics and errors. Without one it is named
            after the first function that it is put on.
        replace: Take the name over from the bulkhead that has it, whatever its settings.
        **settings: See `BulkheadSettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a bulkhead with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "bulkhead"

    def __new__(
        cls,
        name: str | None = None,
        *,
        replace: bool = False,
        **settings: t.Unpack[t.BulkheadSettings],
    ) -> t.Self:
        """Gives back the bulkhead of that name, or makes it."""
        declared = dict(settings)

        def make(given: t.Any, named: bool) -> t.Any:
            from seawall.policies import forks

            made = super(Bulkhead, cls).__new__(cls, given, named, declared)
            forks.watch(made)
            return made

        policy: t.Self = cls._claim(name, declared, make, replace=replace)
        return policy

    def reconfigure(self, **changes: t.Unpack[t.BulkheadSettings]) -> None:
        """Changes settings in place. Permits that are out, and the queue, are kept.

        It never waits. A higher ``max_concurrent`` lets in who waits, at once; under a lower one
        no call is stopped, and none is let in until enough have ended. How long a call may wait,
        and how many may, holds for those that come from now on. None brings a default back.
        ``key`` and ``pool`` can't be changed.

        The name goes on to stand for what was declared: code that declares the bulkhead again,
        as it did before, gets this one with the changes.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes)

    @property
    def keys(self) -> list[t.Hashable]:
        """The keys that have a limit, in no order; see `CircuitBreaker.keys`."""
        return self._keys

    def snapshot(self, *, key: t.Hashable = ALL) -> t.BulkheadSnapshot:
        """Its state and counters at this moment.

        Args:
            key: Of a bulkhead with a limit for each key, that of this one; None: that of calls
                without a key. Left out, all of them as one: counts are sums. That looks at every
                key.

        Raises:
            KeyError: There is none for the key.
            TypeError: A key is given, and it has one limit for all calls.
        """
        from seawall.policies.bulkhead.snapshot import BulkheadSnapshot

        facts = self._snapshot() if key is ALL else self._snapshot_of(key)
        counts = Facts(facts.pop("counts"))
        pool = self._pool
        return BulkheadSnapshot(
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
        numbers = self._settings()
        numbers["on_event"] = given.get("on_event")
        numbers.update(keyed(given))
        return Facts(numbers)

    def __repr__(self) -> str:
        """Its name, and how full it is."""
        seen = self._snapshot()
        waiting = f", {seen['waiting']} waiting" if seen["waiting"] else ""
        each = " each" if self._given().get("key") is not None else ""
        return f"<Bulkhead {self.name!r} {seen['in_flight']} of {seen['limit']}{each}{waiting}>"


@overload
def bulkhead(function: t.F, /) -> t.F: ...
@overload
def bulkhead(
    name: str | None = None, /, *, replace: bool = False, **settings: t.Unpack[t.BulkheadSettings]
) -> Bulkhead: ...
@overload
def bulkhead(
    *, name: str | None, replace: bool = False, **settings: t.Unpack[t.BulkheadSettings]
) -> Bulkhead: ...
def bulkhead(
    function: t.Any = None,
    /,
    *,
    name: t.Any = None,
    replace: bool = False,
    **settings: t.Unpack[t.BulkheadSettings],
) -> t.Any:
    """Bounds how many calls of a function run at once: ``@bulkhead`` or ``@bulkhead(…)``.

    Takes what `Bulkhead` takes. Called, it gives back the bulkhead itself, which is the decorator.

    Raises:
        ConfigError: See `Bulkhead`.
    """
    return decorated(Bulkhead, "bulkhead", function, name, replace=replace, **settings)
