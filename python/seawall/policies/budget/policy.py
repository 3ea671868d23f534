"""The retry budget as an object that retries and hedges are given."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.facts import Facts
from seawall.policies.declared import Configured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["RetryBudget"]


class RetryBudget(Configured, _core.Budget):
    """Bounds the further attempts that all the calls of a service make together.

    One retry of three attempts triples the load of a service that is down; a budget of a fifth
    adds a fifth. It is no decorator: retries and hedges are given it, by itself or by name, and
    all that share it count together. Where it is exhausted they make no further attempt.

    Names are kept in `seawall.registry`: the same name with the same settings is the same budget.

    Args:
        name: Its name in the registry, in events, metrics and errors.
        replace: Take the name over from the budget that has it, whatever its settings.
        **settings: See `BudgetSettings`.

    Raises:
        ConfigError: Naming every wrong setting; or the name is taken by a budget with other
            settings.
    """

    __slots__ = ("_changed", "_declared")

    kind = "budget"

    def __new__(
        cls,
        name: str | None = None,
        *,
        replace: bool = False,
        **settings: t.Unpack[t.BudgetSettings],
    ) -> t.Self:
        """Gives back the budget of that name, or makes it."""
        declared = dict(settings)

        def make(given: t.Any, named: bool) -> t.Any:
            return super(RetryBudget, cls).__new__(cls, given, named, declared)

        budget: t.Self = cls._claim(name, declared, make, replace=replace)
        return budget

    def reconfigure(self, **changes: t.Unpack[t.BudgetSettings]) -> None:
        """Changes settings in place, for all that were given this budget. State is kept.

        Counts and what is in flight stay. So do the calls and retries that count now; under a
        ``ttl`` of another grain they count as though they had just happened. Tokens keep their
        share of the most there may be; coming from another mode there are as many. None brings a
        default back; what the new mode has no use for must be taken back so.

        The name goes on to stand for what was declared: code that declares the budget again,
        as it did before, gets this one with the changes.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        self._change(changes)

    def snapshot(self) -> t.BudgetSnapshot:
        """Its state and counters at this moment."""
        from seawall.policies.budget.snapshot import BudgetSnapshot

        facts = self._snapshot()
        counts = Facts(facts.pop("counts"))
        return BudgetSnapshot(settings=self.settings, counts=counts, **facts)

    @property
    def settings(self) -> Facts:
        """The settings in force, defaults filled in; durations in seconds.

        What the mode has no use for is None.
        """
        return Facts({**self._settings(), "on_event": self._given().get("on_event")})

    def __repr__(self) -> str:
        """Its name, and what is left."""
        seen = self._snapshot()
        return f"<RetryBudget {self.name!r} {'exhausted' if seen['exhausted'] else 'available'}>"
