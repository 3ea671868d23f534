"""The registry: every policy of this process, by kind and name.

A name that somebody gave is kept for good: whoever asks for it again, with the same settings, gets
the same policy and its state. A name that was made from a function lasts as long as the policy
does, and is made unique: functions defined in loops, notebooks or reloaded modules neither collide
nor pile up.

Settings are compared as they were declared, callables by identity.
"""

from __future__ import annotations

import itertools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from seawall.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seawall.policies.policy import Policy

__all__ = ["find", "get", "policies"]

P = TypeVar("P", bound="Policy")


class Books:
    """The names that are taken."""

    __slots__ = ("derived", "given", "nameless", "number")

    def __init__(self) -> None:
        """Starts empty."""
        self.given: dict[tuple[str, str], Any] = {}
        self.derived: WeakValueDictionary[tuple[str, str], Any] = WeakValueDictionary()
        self.nameless: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self.number = itertools.count(1)

    def get(self, kind: str, name: str) -> Any:
        """The policy of that name, or None."""
        return self.given.get((kind, name)) or self.derived.get((kind, name))


#: The books in force here. `seawall.testing.isolated` lays others on top.
books: ContextVar[Books] = ContextVar("seawall_registry", default=Books())  # noqa: B039  shared on purpose


def policies() -> list[Policy]:
    """Every policy there is, by kind and name."""
    here = books.get()
    known = {**dict(here.derived.items()), **here.given}
    return [known[key] for key in sorted(known)]


def get(kind: str, name: str) -> Policy | None:
    """The policy of that kind (``"breaker"``) and name, or None."""
    found: Policy | None = books.get().get(kind, name)
    return found


def find(kind: str, name: str) -> Policy:
    """The policy of that kind and name.

    Raises:
        KeyError: There is none; the message names those of this kind that there are.
    """
    policy = get(kind, name)
    if policy is None:
        known = ", ".join(repr(p.name) for p in policies() if p.kind == kind) or "none"
        raise KeyError(f"no {kind} named {name!r}; there are: {known}")
    return policy


def claim(
    kind: str,
    name: str | None,
    declared: Mapping[str, Any],
    make: Callable[[Any], P],
    declared_by: Callable[[P], Mapping[str, Any]],
    *,
    replace: bool,
) -> P:
    """The policy that has ``name``, if it was declared likewise, or the one that ``make`` makes.

    Raises:
        ConfigError: The settings are wrong, or the name is taken by one with other settings.
    """
    here = books.get()
    if name is None:
        policy = make(f"{kind}-{next(here.number)}")
        here.derived[kind, policy.name] = policy
        here.nameless[id(policy)] = policy
        return policy
    if not isinstance(name, str) or not name:
        return make(name)  # which refuses it, along with whatever else is wrong
    policy = here.get(kind, name)
    if policy is None or replace:
        made = make(name)
        if replace:
            here.given[kind, name] = made
            return made
        # Atomic: of two threads that got here at once, one finds the other's.
        policy = here.given.setdefault((kind, name), made)
    _same(kind, name, declared, declared_by(policy))
    return policy


def _same(kind: str, name: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    fields = sorted(
        field for field in {*new, *old} if not _equal(new.get(field), old.get(field))
    )
    if fields:
        rule = "differs from the {}: pass replace=True, or another name"
        raise ConfigError(
            f"{kind} {name!r}, which exists already",
            [
                (field, repr(new.get(field)), rule.format(repr(old.get(field))), None)
                for field in fields
            ],
        )


def _equal(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # noqa: BLE001  a comparison of the user's that fails is no equality
        return False


def name_after(policy: Policy, function: Any) -> None:
    """Names a nameless policy after the function that it was put on."""
    here = books.get()
    if here.nameless.pop(id(policy), None) is not policy:
        return
    stem = _stem(function)
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}#{number}"
        if here.get(policy.kind, name) is None:
            here.derived.pop((policy.kind, policy.name), None)
            policy._rename(name)
            here.derived[policy.kind, name] = policy
            return


def _stem(function: Any) -> str:
    # A method object, a partial and the like name what is inside them.
    for attribute in ("__func__", "func"):
        if not hasattr(function, "__qualname__"):
            function = getattr(function, attribute, function)
    if not hasattr(function, "__qualname__"):
        function = type(function)
    module = getattr(function, "__module__", None)
    return f"{module}.{function.__qualname__}" if module else str(function.__qualname__)
