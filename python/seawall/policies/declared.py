"""What is made of settings has this in common.

Its name stands for what it was declared with, and settings change in place.
"""

from __future__ import annotations

from seawall import lazy, registry
from seawall.policies.policy import Named, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from weakref import WeakKeyDictionary

    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["ALL", "Configured", "Declared", "decorated", "default", "keyed", "seconds"]


class _All:
    __slots__ = ()

    def __repr__(self) -> str:
        return "<all keys>"


#: In place of a key that was left out: None is one that was given.
ALL = _All()

#: In a state of changes, the one that took its place. No setting can have this name.
_NEXT = None
#: The state of changes of a policy that was never reconfigured, as most never are. Never written.
_UNCHANGED: dict[t.Any, t.Any] = {}
#: The first state of changes of each policy that is being reconfigured for the first time.
_firsts: list[WeakKeyDictionary[t.Any, dict[t.Any, t.Any]]] = []


class Configured(Named):
    """Something of declared settings. Its class has the slots ``_changed`` and ``_declared``."""

    if not TYPE_CHECKING:
        # Slots of its own would not lie beside those of a native class.
        __slots__ = ()
    else:
        #: What it was declared with, which is what its name stands for: name, value, name, value, …
        #: Half the size of a dict.
        _declared: tuple[t.Any, ...]
        #: What `reconfigure` has changed since. Never changed but to name its successor.
        _changed: dict[t.Any, t.Any]

        def _reconfigure(self, settings: dict[str, t.Any]) -> None: ...

    @classmethod
    def _claim(
        cls,
        name: str | None,
        declared: dict[str, t.Any],
        make: t.Callable[[t.Any, bool], t.Any],
        *,
        replace: bool,
    ) -> t.Any:
        """The policy of that name, or the one that ``make`` makes."""

        def begin(given: t.Any, named: bool) -> t.Any:
            self = make(given, named)
            self._declared = tuple(part for item in declared.items() for part in item)
            self._changed = _UNCHANGED
            return self

        kind: str = cls.kind
        return registry.claim(kind, cls, name, declared, begin, _declaration, replace=replace)

    def _given(self) -> dict[t.Any, t.Any]:
        """The settings in force, as they were written."""
        settings = {**_declaration(self), **self._latest()}
        settings.pop(_NEXT, None)
        return settings

    def _latest(self, first: dict[t.Any, t.Any] = _UNCHANGED) -> dict[t.Any, t.Any]:
        """The changes in force. A state that was replaced says by which, so none is ever lost."""
        state = self._changed
        if state is _UNCHANGED:
            state = first
        while (following := state.get(_NEXT)) is not None:
            state = following
        return state

    def _change(self, changes: t.Mapping[str, t.Any]) -> None:
        """Changes settings in place: what every policy's `reconfigure` does.

        Raises:
            ConfigError: Naming every wrong setting. Nothing is changed then.
        """
        # Reading settings runs code of the user's (`__index__`, `__eq__`, `__repr__`), which may
        # change this policy, fork, or wait for another thread that does: no lock is held. What
        # was replaced meanwhile is read and applied again. `setdefault` lets one of several win.
        first = _begin(self) if self._changed is _UNCHANGED else _UNCHANGED
        try:
            while True:
                before = self._latest(first)
                changed: dict[t.Any, t.Any] = {**before, **changes}
                changed.pop(_NEXT, None)
                self._apply(changed)
                if before.setdefault(_NEXT, changed) is changed:
                    self._changed = changed
                    if first is not _UNCHANGED:
                        # Whoever looks from here on finds the change itself. Kept, what it leads
                        # to, which may be the policy, would be kept for good.
                        _firsts[0].pop(self, None)
                    return
        except BaseException:
            # An attempt that lost may have been applied.
            self._settle(first)
            raise

    def _apply(self, changed: dict[t.Any, t.Any]) -> None:
        settings: dict[t.Any, t.Any] = {**_declaration(self), **changed}
        settings.pop(_NEXT, None)
        self._reconfigure(settings)

    def _settle(self, first: dict[t.Any, t.Any]) -> None:
        while True:
            state = self._latest(first)
            self._apply(state)
            if _NEXT not in state:
                return


class Declared(Configured, Policy):
    """A policy of declared settings, to be put on functions."""

    __slots__ = ()


def _declaration(policy: Configured) -> dict[str, t.Any]:
    return dict(zip(policy._declared[::2], policy._declared[1::2], strict=True))


def _begin(policy: Configured) -> dict[t.Any, t.Any]:
    """A first state of changes that all threads agree on, until one of them has changed it."""
    if not _firsts:
        # Here, because importing seawall changes no settings.
        from weakref import WeakKeyDictionary

        _firsts.append(WeakKeyDictionary())
    return _firsts[0].setdefault(policy, {})


def default(given: t.Any, default: t.Any) -> t.Any:
    """What was given, or else the default."""
    return default if given is None else given


def seconds(duration: t.Any) -> t.Any:
    """A duration in seconds, if it is a timedelta; anything else is itself."""
    return duration.total_seconds() if hasattr(duration, "total_seconds") else duration


def keyed(given: t.Mapping[t.Any, t.Any]) -> dict[str, t.Any]:
    """The settings in force of a policy that may have a state for each key."""
    key = given.get("key")
    if key is None:
        return {"key": None, "max_keys": None, "key_idle": None}
    return {
        "key": key,
        "max_keys": default(given.get("max_keys"), 10_000),
        "key_idle": seconds(default(given.get("key_idle"), 600.0)),
    }


def decorated(
    make: t.Callable[..., t.Any],
    called: str,
    function: t.Any,
    name: t.Any,
    /,
    **settings: t.Any,
) -> t.Any:
    """What a decorator gives that may be written bare, or called with its name first.

    Args:
        make: Makes the policy.
        called: What the decorator is called.
        function: What it was written on, if it was written bare; or the name.
        name: The name, if that was written as ``name=``.
        **settings: What else it was called with.
    """
    if isinstance(function, str):
        if name is not None:
            raise TypeError(f"{called} got two names: {function!r} and {name!r}")
        function, name = None, function
    policy = make(name, **settings)
    return policy if function is None else policy(function)
