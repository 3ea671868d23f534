"""The registry: every policy of this process, by kind and name.

A name that somebody gave is kept for good: whoever asks for it again, with the same settings, gets
the same policy and its state. A name that was made from a function lasts as long as the policy
does, and is made unique: functions defined in loops, notebooks or reloaded modules neither collide
nor pile up.

Settings are compared as they were declared, callables by identity.
"""

# What a policy is called is the registry's to say, and nobody else's.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import itertools
from contextvars import ContextVar

from seawall import lazy
from seawall.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from weakref import WeakValueDictionary

    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["find", "get", "policies"]


class _Given(dict[str, "dict[str, t.Any]"]):
    __slots__ = ()

    def __missing__(self, kind: str) -> dict[str, t.Any]:
        # Atomic, which a defaultdict's would not be: the first names of a kind may come at once.
        return self.setdefault(kind, {})


class _Weak(dict[str, "WeakValueDictionary[str, t.Any]"]):
    __slots__ = ()

    def __missing__(self, kind: str) -> WeakValueDictionary[str, t.Any]:
        # Here, because importing seawall makes no policy.
        from weakref import WeakValueDictionary

        return self.setdefault(kind, WeakValueDictionary())


class Books:
    """The names that are taken, by kind."""

    __slots__ = ("derived", "given", "number")

    def __init__(self) -> None:
        """Starts empty."""
        self.given = _Given()
        self.derived = _Weak()
        self.number = itertools.count(1)

    def get(self, kind: str, name: str) -> t.Any:
        """The policy of that name, or None."""
        given = self.given[kind].get(name)
        return self.derived[kind].get(name) if given is None else given


#: The books in force here. `seawall.testing.isolated` lays others on top.
books: ContextVar[Books] = ContextVar("seawall_registry", default=Books())  # noqa: B039  shared on purpose


def policies() -> list[t.Named]:
    """Every policy there is, by kind and name."""
    here = books.get()
    # Lists are taken in one go: threads may add names meanwhile. The items of a weak dictionary
    # can't be, its references can.
    known: dict[tuple[str, str], t.Any] = {}
    for kind, derived in list(here.derived.items()):
        known.update(
            ((kind, policy.name), policy)
            for ref in derived.valuerefs()
            if (policy := ref()) is not None
        )
    for kind, given in list(here.given.items()):
        known.update(((kind, name), policy) for name, policy in list(given.items()))
    return [known[key] for key in sorted(known)]


def get(kind: str, name: str) -> t.Named | None:
    """The policy of that kind (``"breaker"``) and name, or None."""
    found: t.Named | None = books.get().get(kind, name)
    return found


def find(kind: str, name: str) -> t.Named:
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
    cls: type[t.P],
    name: t.Any,
    declared: t.Mapping[str, t.Any],
    make: t.Callable[[t.Any, bool], t.P],
    declared_by: t.Callable[[t.P], t.Mapping[str, t.Any]],
    *,
    replace: bool,
) -> t.P:
    """The policy that has ``name``, if it was declared likewise, or the one that ``make`` makes.

    Raises:
        ConfigError: The settings are wrong, or the name is taken by one of another class or with
            other settings.
    """

    def check(standing: t.P) -> None:
        other = type(standing)
        if other is not cls:
            raise _taken(kind, name, [("class", _path(cls), _path(other))])
        before = declared_by(standing)
        fields = _differing(declared, before)
        if fields:
            make(name, True)  # which refuses what is wrong by itself
            rows = [(field, repr(declared.get(field)), repr(before.get(field))) for field in fields]
            raise _taken(kind, name, rows)

    here = books.get()
    if name is None:
        policy = make(_free(here, kind, (f"{kind}-{number}" for number in here.number)), False)
        here.derived[kind][policy.name] = policy
        return policy
    if not isinstance(name, str) or not name:
        return make(name, True)  # which refuses it, along with whatever else is wrong
    if replace:
        made = here.given[kind][name] = make(name, True)
        return made
    policy = here.get(kind, name)
    if policy is None:
        policy = make(name, True)
    else:
        check(policy)
    # Atomic: of two threads that got here at once, one finds the other's. A name that was derived
    # so far is a given one from now on.
    standing: t.P = here.given[kind].setdefault(name, policy)
    if not standing._named:
        standing._rename(name)
    check(standing)
    return standing


def _differing(new: t.Mapping[str, t.Any], old: t.Mapping[str, t.Any]) -> list[str]:
    return sorted(field for field in {*new, *old} if not _equal(new.get(field), old.get(field)))


def _taken(kind: str, name: str, rows: list[tuple[str, str, str]]) -> ConfigError:
    hint = "pass replace=True, or another name"
    return ConfigError(
        f"{kind} {name!r}, which exists already",
        [(field, new, f"differs from {old}: {hint}", None) for field, new, old in rows],
    )


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _free(here: Books, kind: str, names: t.Iterable[str]) -> str:
    return next(name for name in names if here.get(kind, name) is None)


def _equal(one: t.Any, other: t.Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # noqa: BLE001  a comparison of the user's that fails is no equality
        return False


def name_after(policy: t.Policy, function: t.Any) -> None:
    """Names a nameless policy after the function that it was put on."""
    if policy._named:
        return
    here = books.get()
    stem = _stem(function)
    # A few small numbers, for people; after that any will do, and no long search.
    small = (f"{stem}#{number}" for number in range(2, 10))
    names = itertools.chain((stem,), small, (f"{stem}#{number}" for number in here.number))
    while True:
        name = _free(here, policy.kind, names)
        # Another thread may have taken it since.
        if here.derived[policy.kind].setdefault(name, policy) is policy:
            break
    here.derived[policy.kind].pop(policy.name, None)
    policy._rename(name)


def _stem(function: t.Any) -> str:
    # A method object, a partial and the like name what is inside them.
    for attribute in ("__func__", "func"):
        if not hasattr(function, "__qualname__"):
            function = getattr(function, attribute, function)
    if not hasattr(function, "__qualname__"):
        function = function.__class__
    module = getattr(function, "__module__", None)
    return f"{module}.{function.__qualname__}" if module else str(function.__qualname__)
