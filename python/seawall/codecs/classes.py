"""The classes that stored objects may be made of: those that an annotation names.

What is stored says the name of an object's class, and nothing is ever imported for it: it is only
looked up among these. They are gathered when first needed, since an annotation may name what is
defined further down.
"""

from __future__ import annotations

import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seawall.codecs.annotated import Build, shaped
from seawall.codecs.fields import derives, is_pydantic, name_of, names_of
from seawall.codecs.plain import plain_of

__all__ = ["Classes"]

# Where plain types live: those themselves need not be known.
_STANDARD = {"builtins", "collections", "datetime", "decimal", "typing", "uuid"}


class Classes:
    """Those that an annotation names, and all that these name in turn.

    Args:
        hint: The annotation.
        function: A function whose return annotation it is, where there is one.
        given: Further classes.
    """

    def __init__(
        self,
        hint: object = None,
        *,
        function: Callable[..., Any] | None = None,
        given: Iterable[Any] = (),
    ) -> None:
        self._hint = hint
        self._function = function
        self._given = tuple(given)
        self._known: dict[str, Any] | None = None
        self._last: dict[str, list[Any]] = {}
        #: The names of classes, and of their fields, if these are all there is to one.
        self.plans: dict[Any, tuple[str, list[str]]] = {}
        #: Names that mean nothing, and why.
        self.unresolved: list[str] = []

    def and_given(self, given: Iterable[Any]) -> Classes:
        """These, and some more."""
        return Classes(self._hint, function=self._function, given=(*self._given, *given))

    def find(self, name: str) -> Any:
        """The class of this full name, or None.

        One that has moved to another module is found by its own name, if it is the only one.
        """
        known = self._gathered()
        found = known.get(name)
        if found is not None:
            return found
        moved = self._last.get(name.rpartition(".")[2], [])
        if len(moved) == 1:
            return moved[0]
        return _member_of_module(name)

    def holds(self, kind: type) -> bool:
        """Whether objects of this class can be made again by its name."""
        return self.find(name_of(kind)) is kind

    def shaped(self, value: object, build: Build) -> object:
        """Plain data as the annotation says.

        Raises:
            Misfit: It can't be that.
        """
        hint, scope = self._said()
        return value if hint is None else shaped(value, hint, scope, build)

    def _said(self) -> tuple[Any, dict[str, Any]]:
        return (self._hint, {}) if self._function is None else _returned(self._function)

    def says(self) -> str:
        """The annotation as errors show it."""
        known = self._gathered()
        where = getattr(self._function, "__qualname__", "this operation")
        if self.unresolved:
            return f"{where} names {', '.join(self.unresolved)}, which can't be resolved"
        if not known:
            return f"{where} has no annotation that names a class"
        return f"{where} names {', '.join(sorted(known))}"

    def _gathered(self) -> dict[str, Any]:
        if self._known is None:
            hint, scope = self._said()
            walk = _Walk(scope)
            for each in (hint, *self._given):
                walk.into(each, scope)
            last: dict[str, list[Any]] = {}
            for kind in walk.found.values():
                last.setdefault(kind.__qualname__.rpartition(".")[2], []).append(kind)
            self._last, self.unresolved = last, walk.unresolved
            # Last: other threads take it for all of it.
            self._known = walk.found
        return self._known


def _member_of_module(name: str) -> Any:
    """An enum that is imported already: to look for a member runs nothing."""
    module, _, inside = name.rpartition(".")
    while module:
        found: Any = sys.modules.get(module)
        if found is not None:
            for step in inside.split("."):
                found = getattr(found, "__dict__", {}).get(step)
            return found if isinstance(found, enum.EnumType) and found.__members__ else None
        module, _, step = module.rpartition(".")
        inside = f"{step}.{inside}"
    return None


class _Walk:
    """Goes through annotations."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.found: dict[str, Any] = {}
        self.unresolved: list[str] = []
        self._scope = dict(scope)
        self._seen: list[object] = []

    def into(self, hint: Any, scope: Mapping[str, Any]) -> None:
        if isinstance(hint, str | typing.ForwardRef):
            self._text(hint if isinstance(hint, str) else hint.__forward_arg__, scope)
            return
        if hint is None or any(hint is seen for seen in self._seen):
            return
        self._seen.append(hint)
        if isinstance(hint, enum.Enum):
            # A member that a Literal names.
            hint = type(hint)
        if isinstance(hint, typing.TypeVar):
            self._all([hint.__bound__, *hint.__constraints__], scope)
        elif isinstance(hint, typing.NewType):
            self.into(hint.__supertype__, scope)
        elif hasattr(hint, "__value__") and type(hint).__name__ == "TypeAliasType":
            self.into(hint.__value__, scope)
        elif derives(type(hint), list):
            self._all(hint, scope)
        elif (origin := typing.get_origin(hint)) is not None:
            arguments = typing.get_args(hint)
            self._all(arguments[:1] if origin is typing.Annotated else arguments, scope)
            self.into(origin, scope)
        elif isinstance(hint, type):
            self._class(hint)

    def _all(self, hints: Iterable[Any], scope: Mapping[str, Any]) -> None:
        for hint in hints:
            self.into(hint, scope)

    def _text(self, text: str, scope: Mapping[str, Any]) -> None:
        """Names that only type checkers import mean nothing here; the rest is not lost by them."""
        try:
            meant = eval(text, {**vars(typing), **scope})  # noqa: S307  the program's own annotation
        except Exception as error:  # noqa: BLE001  any: an expression of the user's
            if text not in self.unresolved:
                self.unresolved.append(f"{text} ({type(error).__name__})")
            return
        self.into(meant, scope)

    def _class(self, kind: Any) -> None:
        is_typed = isinstance(getattr(kind, "__total__", None), bool)
        names = names_of(kind)
        is_own = kind.__module__ not in _STANDARD and not is_typed
        if derives(kind, enum.Enum) or names is not None or (is_own and plain_of(kind)):
            self.found[name_of(kind)] = kind
        if names is None and not is_typed:
            return
        if is_pydantic(kind):
            self._all([field.annotation for field in kind.model_fields.values()], self._scope)
            return
        for each in kind.__mro__:
            module: Any = sys.modules.get(each.__module__)
            scope = {**self._scope, **vars(module or types), each.__name__: each}
            self._all(inspect.get_annotations(each).values(), scope)


def _returned(function: Callable[..., Any]) -> tuple[object, dict[str, Any]]:
    """What a function says that it returns, and what names mean there."""
    under: Any = function
    for _ in range(64):
        under = getattr(under, "__func__", under)
        inner = getattr(under, "__wrapped__", None)
        if inner is None:
            break
        under = inner
    scope = dict(getattr(under, "__globals__", {}))
    code = getattr(under, "__code__", None)
    for name, cell in zip(
        getattr(code, "co_freevars", ()), getattr(under, "__closure__", None) or (), strict=False
    ):
        try:
            scope[name] = cell.cell_contents
        except ValueError:
            # Not bound yet.
            continue
    return getattr(under, "__annotations__", {}).get("return"), scope
