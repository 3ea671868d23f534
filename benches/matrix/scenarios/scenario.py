"""What a scenario is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from benches.matrix.adapter import Adapter, Kind, Policy
from benches.matrix.lab import Lab


@dataclass(frozen=True)
class Scenario:
    """A function that returns if the claim holds, and raises what it found otherwise."""

    name: str
    claim: str
    group: str
    run: Callable[[Lab], None]
    kinds: tuple[Kind, ...] | None
    """The kinds of lab it runs in; None: once, in any."""
    policy: Policy
    """What it is about: libraries that have no such thing are not asked."""
    convention: bool
    """Whether sound libraries may choose otherwise: wrong then means `not as seawall does`."""

    def kinds_for(self, adapter: Adapter) -> tuple[Kind, ...]:
        """The labs in which this library meets it."""
        if self.policy not in adapter.policies:
            return ()
        if self.kinds is None:
            return adapter.kinds[:1]
        return tuple(kind for kind in self.kinds if kind in adapter.kinds)


def scenario(
    *kinds: Kind, policy: Policy = "breaker", convention: bool = False
) -> Callable[[Callable[[Lab], None]], Scenario]:
    """Make a scenario of a function; its name and docstring are the scenario's."""

    def make(function: Callable[[Lab], None]) -> Scenario:
        group = (inspect.getdoc(inspect.getmodule(function)) or "").partition("\n")[0].rstrip(".")
        claim = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
        return Scenario(
            name=function.__name__.replace("_", "-"),
            claim=claim,
            group=group,
            run=function,
            kinds=kinds or None,
            policy=policy,
            convention=convention,
        )

    return make
