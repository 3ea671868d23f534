"""What every face has in common: its name; and, of most, how it is put on a function."""

from __future__ import annotations

from seawall import lazy, registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
    from seawall._core import Guard

    _Ground = Guard
else:
    t = lazy.module("seawall.hints")
    _Ground = object

__all__ = ["Named", "Policy"]


class Named:
    """An object with state and a name, by which the registry and other processes find it."""

    __slots__ = ()

    #: The word for objects of this kind, in the registry, in events and in metrics.
    kind: t.ClassVar[str]

    if TYPE_CHECKING:

        @property
        def name(self) -> str:
            """The name it is known by in the registry, in events and in errors."""
            ...

        @property
        def _named(self) -> bool: ...

        def _rename(self, name: str) -> None: ...

    def __copy__(self) -> t.Self:
        """A copy of it is itself: its state is one."""
        return self

    def __deepcopy__(self, memo: object) -> t.Self:
        """As `__copy__`."""
        return self

    def __reduce__(self) -> tuple[t.Any, ...]:
        """Pickled by name: another process finds its own of that name."""
        return registry.find, (self.kind, self.name)


class Policy(Named, _Ground):
    """A named object that protects calls. Mixed in before the native class of a policy."""

    __slots__ = ()

    def __call__(self, function: t.F, /) -> t.F:
        """Returns ``function`` protected by this policy.

        It keeps its kind, signature and names. Functions that share a policy share its state.

        Raises:
            ConfigError: It is something that can't be protected: a class, a context manager that
                was made of a generator function, something that can't be called.
        """
        protected = super().__call__(function)
        registry.name_after(self, function)
        return protected
