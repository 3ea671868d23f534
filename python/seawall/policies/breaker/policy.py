"""The circuit breaker as a policy."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.facts import Facts
from seawall.lazy import overload
from seawall.policies.declared import ALL, Declared, decorated, default, keyed, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["CircuitBreaker", "circuit_breaker"]


class CircuitBreaker(Declared, _core.Breaker):
    """Rejects calls at once while what they call is failing, and probes for its recovery.

    Closed, it lets every call in and counts how they end. When a rule is reached it opens: calls
    are rejected with `CircuitOpenError`, which costs the caller nothing and spares the callee.
    After ``open_duration`` it is half-open: a few probes are let in, and what becomes of them
    closes or re-opens it.

    The instance is a decorator; `call` and `try_call` protect a single call. Names are kept in
    `seawall.registry`: the same name with the same settings is the same breaker.

    Args:
        name: Its name in the registry, in events, metrics and errors. Without one it is named
            after the first function that it is put on.
        replace: Take the name over from the breaker that has it, whatever its settings.
        **settings: See `BreakerSettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a breaker with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "breaker"

    def __new__(
        cls,
        name: str | None = None,
        *,
        replace: bool = False,
        **settings: t.Unpack[t.BreakerSettings],
    ) -> t.Self:
        """Gives back the breaker of that name, or makes it."""
        declared = dict(settings)

        def make(given: t.Any, named: bool) -> t.Any:
            return super(CircuitBreaker, cls).__new__(cls, given, named, declared)

        policy: t.Self = cls._claim(name, declared, make, replace=replace)
        return policy

    def reconfigure(self, **changes: t.Unpack[t.BreakerSettings]) -> None:
        """Changes settings in place. State, counts and the calls in flight are kept.

        A call under way is judged by what it started with (``on``, ``ignore``, ``on_result``); what
        its end brings about is a matter of the settings in force by then. A coroutine that was not
        awaited yet has not started. A window's contents are kept, unless calls become seconds or
        seconds others. None brings a default back.

        The name goes on to stand for what was declared: code that declares the breaker again,
        as it did before, gets this one with the changes.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes)

    @property
    def keys(self) -> list[t.Hashable]:
        """The keys that have a circuit, in no order.

        None among them is that of calls without a key, `seawall.OTHER_KEYS` the one that is shared
        by keys which found no room; each is there once such a call has come. Empty for a breaker
        with one circuit for all calls.
        """
        return self._keys

    def snapshot(self, *, key: t.Hashable = ALL) -> t.BreakerSnapshot:
        """Its state and counters at this moment.

        Args:
            key: Of a breaker with a circuit for each key, that of this one; None: that of calls
                without a key. Left out, all of them as one: counts are sums, the state is the
                gravest. That looks at every key: a millisecond for some ten thousand.

        Raises:
            KeyError: No circuit belongs to the key.
            TypeError: A key is given, and it has one circuit for all calls.
        """
        from seawall.policies.breaker.snapshot import BreakerSnapshot

        facts = self._snapshot() if key is ALL else self._snapshot(key)
        counts = Facts(facts.pop("counts"))
        return BreakerSnapshot(settings=self.settings, counts=counts, **facts)

    @property
    def settings(self) -> Facts:
        """The settings in force, defaults filled in; durations in seconds."""
        from seawall.windows import Window

        given = self._given()
        numbers = self._settings()
        numbers["window"] = Window(*numbers["window"])
        numbers["open_duration"] = seconds(default(given.get("open_duration"), 30.0))
        numbers["on"] = default(given.get("on"), Exception)
        numbers["ignore"] = default(given.get("ignore"), ())
        numbers["on_result"] = given.get("on_result")
        numbers["on_event"] = given.get("on_event")
        numbers.update(keyed(given))
        return Facts(numbers)

    def __repr__(self) -> str:
        """Its name and state."""
        return f"<CircuitBreaker {self.name!r} {self.state}>"


@overload
def circuit_breaker(function: t.F, /) -> t.F: ...
@overload
def circuit_breaker(
    name: str | None = None, /, *, replace: bool = False, **settings: t.Unpack[t.BreakerSettings]
) -> CircuitBreaker: ...
@overload
def circuit_breaker(
    *, name: str | None, replace: bool = False, **settings: t.Unpack[t.BreakerSettings]
) -> CircuitBreaker: ...
def circuit_breaker(
    function: t.Any = None,
    /,
    *,
    name: t.Any = None,
    replace: bool = False,
    **settings: t.Unpack[t.BreakerSettings],
) -> t.Any:
    """Protects a function with a circuit breaker: ``@circuit_breaker`` or ``@circuit_breaker(…)``.

    Takes what `CircuitBreaker` takes. Called, it gives back the breaker itself, which is the
    decorator.

    Raises:
        ConfigError: See `CircuitBreaker`.
    """
    return decorated(CircuitBreaker, "circuit_breaker", function, name, replace=replace, **settings)
