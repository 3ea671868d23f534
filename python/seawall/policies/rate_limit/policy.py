"""The rate limit as a policy."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.facts import Facts
from seawall.policies.declared import ALL, Declared, keyed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["RateLimit", "rate_limit"]


class RateLimit(Declared, _core.RateLimit):
    """Lets calls begin no faster than they may: ``limit`` in ``per`` seconds.

    It is a bucket that holds ``burst`` calls and fills at the rate (the generic cell rate algorithm
    of ITU-T I.371); or, with the name of a window of the calendar as ``per``, a count that begins
    anew with each. A call that finds too little waits, in order, if it may and that is of use; else
    it is refused at once with `RateLimitedError`, which says when to try again. What is taken is
    not given back when the call fails.

    The instance is a decorator; `call` and `try_call` protect a single call, and ``with`` a block.
    Names are kept in `seawall.registry`: the same name with the same settings is the same limit.

    Args:
        name: Its name in the registry, in events, metrics and errors. Without one it is named
            after the first function that it is put on.
        limit: How many calls, or what they may cost together.
        replace: Take the name over from the limit that has it, whatever its settings.
        **settings: See `RateLimitSettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a limit with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "rate_limit"

    def __new__(
        cls,
        name: str | None = None,
        limit: float | None = None,
        *,
        replace: bool = False,
        **settings: t.Unpack[t.RateLimitSettings],
    ) -> t.Self:
        """Gives back the limit of that name, or makes it."""
        declared = {"limit": limit, **settings}

        def make(given: t.Any, named: bool) -> t.Any:
            from seawall.policies import forks

            made = super(RateLimit, cls).__new__(cls, given, named, declared)
            forks.watch(made)
            return made

        policy: t.Self = cls._claim(name, declared, make, replace=replace)
        return policy

    def reconfigure(
        self, *, limit: float | None = None, **changes: t.Unpack[t.RateLimitSettings]
    ) -> None:
        """Changes settings in place. State and counts are kept.

        What was taken stays taken, as so many calls: it comes back at the new rate, and counts for
        no more than the new burst. None brings a default back; of ``limit``, which has none, it
        changes nothing. Calls that wait keep their order, and go by the new rate. ``key`` can't be
        changed, nor can ``cost`` from a number to a callable or back. The name goes on to stand for
        what was declared.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes if limit is None else {"limit": limit, **changes})

    @property
    def keys(self) -> list[t.Hashable]:
        """The keys that have a state, in no order.

        None among them is that of calls without a key, `seawall.OTHER_KEYS` the one that is shared
        by keys which found no room; each is there once such a call has come. Empty for a limit with
        one state for all calls.
        """
        return self._keys

    def snapshot(self, *, key: t.Hashable = ALL) -> t.RateLimitSnapshot:
        """Its state and counters at this moment.

        Args:
            key: Of a limit with a state for each key, that of this one; None: that of calls without
                a key. Left out, all of them as one: counts are sums, what is available is the
                least.

        Raises:
            KeyError: No state belongs to the key.
            TypeError: A key is given, and it has one state for all calls.
        """
        from seawall.policies.rate_limit.snapshot import RateLimitSnapshot

        facts = self._snapshot() if key is ALL else self._snapshot(key)
        counts = Facts(facts.pop("counts"))
        return RateLimitSnapshot(settings=self.settings, counts=counts, **facts)

    @property
    def settings(self) -> Facts:
        """The settings in force, defaults filled in; durations in seconds."""
        given = self._given()
        facts = self._settings()
        if callable(given.get("cost")):
            facts["cost"] = given["cost"]
        facts["on_event"] = given.get("on_event")
        facts.update(keyed(given))
        return Facts(facts)

    def __repr__(self) -> str:
        """Its name and rate."""
        facts = self._settings()
        per = facts["per"]
        per = per if isinstance(per, str) else f"{per:g} s"
        return f"<RateLimit {self.name!r} {facts['limit']:g} per {per}>"


def rate_limit(
    name: str | None = None,
    limit: float | None = None,
    *,
    replace: bool = False,
    **settings: t.Unpack[t.RateLimitSettings],
) -> RateLimit:
    """Limits how fast a function is called: ``@rate_limit("sms", 100, per=60)``.

    Takes what `RateLimit` takes, and gives back the policy itself, which is the decorator.

    Raises:
        ConfigError: See `RateLimit`.
    """
    return RateLimit(name, limit, replace=replace, **settings)
