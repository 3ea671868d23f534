"""Pipelines: several policies as one."""

from __future__ import annotations

from seawall import _core, lazy
from seawall.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Pipeline"]


class Pipeline(_core.Guard):
    """Policies in order, outermost first, passed as one by every call.

    Decorating with a pipeline is the same as stacking the decorators of its policies, the first
    on top: either way a call passes one plan. A pipeline without policies lets every call through.

    Args:
        name: What to call it.
        *policies: At most 16, none of them twice.

    Raises:
        ConfigError: Naming everything that is wrong with the composition.
    """

    __slots__ = ("name",)

    name: str

    def __new__(cls, name: str, /, *policies: t.Policy) -> t.Self:
        """Checks the composition."""
        problems: list[tuple[str, str, str, str | None]] = []
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.append(("name", repr(name), "must be a string that is not empty", None))
        subject = "pipeline" if problems else f"pipeline {name!r}"
        try:
            self = super().__new__(cls, policies, subject)
        except ConfigError as error:
            raise ConfigError(error.subject, [*problems, *error.problems]) from None
        if problems:
            raise ConfigError(subject, problems)
        self.name = name
        return self

    def __call__(self, function: t.F, /) -> t.F:
        """Returns ``function`` protected by the policies, as they would protect it one by one."""
        return super().__call__(function)

    def reconfigure(
        self,
        changes: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
        /,
        **by_kind: t.Mapping[str, t.Any],
    ) -> None:
        """Changes settings of its policies, and of their retry budgets, in place: all or none.

        A budget is that of all who were given it, also outside of this pipeline.

        Args:
            changes: New settings by the name of the policy they are for, or else of the budget.
            **by_kind: By its kind, where there is one of that: ``retry={"attempts": 5}``.

        Raises:
            ConfigError: Naming every wrong setting of every policy, and every name that is none
                of a policy here. Nothing is changed then.
        """
        found, problems = self._chosen({**(changes or {}), **by_kind})
        before: list[tuple[t.Any, dict[str, t.Any]]] = []
        try:
            for which, policy, wanted in found:
                given = policy._given()
                try:
                    policy._change(wanted)
                except ConfigError as error:
                    problems += [(f"{which}.{it[0]}", *it[1:]) for it in error.problems]
                    continue
                before.append((policy, {name: given.get(name) for name in wanted}))
            if problems:
                raise ConfigError(f"pipeline {self.name!r}", problems)
        except BaseException:
            for policy, given in reversed(before):
                policy._change(given)
            raise

    def _chosen(
        self, changes: dict[str, t.Mapping[str, t.Any]]
    ) -> tuple[
        list[tuple[str, t.Any, t.Mapping[str, t.Any]]], list[tuple[str, str, str, str | None]]
    ]:
        policies = self.policies
        budgets = self._budgets()
        found: list[tuple[str, t.Any, t.Mapping[str, t.Any]]] = []
        problems: list[tuple[str, str, str, str | None]] = []
        for which, wanted in changes.items():
            if not hasattr(wanted, "keys"):
                problems.append((which, repr(wanted), "must be a mapping of settings", None))
                continue
            named = [policy for policy in policies if policy.name == which]
            named = named or [budget for budget in budgets if budget.name == which]
            meant = named or [it for it in (*policies, *budgets) if it.kind == which]
            if len(meant) == 1:
                found.append((which, meant[0], wanted))
            elif meant:
                names = ", ".join(f"{policy.kind} {policy.name!r}" for policy in meant)
                how = "kind" if named else "name"
                problems.append(
                    (which, repr(wanted), f"may be any of {names}: say which by its {how}", None)
                )
            else:
                there = ", ".join(f"{it.kind} {it.name!r}" for it in (*policies, *budgets))
                problems.append(
                    (which, repr(wanted), f"is no policy of this; it has {there}", None)
                )
        return found, problems

    def _budgets(self) -> list[t.Any]:
        """The budgets of its retries and hedges, as far as they are made."""
        from seawall import registry

        found: dict[int, t.Any] = {}
        for policy in self.policies:
            if policy.kind in ("retry", "hedge"):
                budget = policy._given().get("budget")
                budget = registry.get("budget", budget) if isinstance(budget, str) else budget
                if budget is not None:
                    found[id(budget)] = budget
        return list(found.values())

    def __copy__(self) -> t.Self:
        """A copy of a pipeline is the pipeline: its policies' state is one."""
        return self

    def __deepcopy__(self, memo: object) -> t.Self:
        """As `__copy__`."""
        return self

    def __reduce__(self) -> tuple[t.Any, ...]:
        """Pickled by name and policies, which another process finds by their names."""
        return type(self), (self.name, *self.policies)

    def __repr__(self) -> str:
        """Its name and policies."""
        return f"<Pipeline {self.name!r} {list(self.policies)!r}>"
