"""Results that an operator gives as plain data, made into what the operation says it returns.

Whoever resolves an operation at a terminal has JSON: a dict, where the function's callers get an
`Order`. Such a result is marked when it is written, and takes its shape from the return annotation
when it is read. What an operation itself returned never does: it comes back as what it was.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seawall.codecs.errors import DecodeError
from seawall.codecs.fields import class_of, derives, is_pydantic, name_of, names_of

__all__ = ["AsAnnotated", "Build", "Misfit", "shaped"]

Build = Callable[[Any, dict[str, Any]], object]


class AsAnnotated:
    """A result as plain data, which is to become what the operation's annotation says.

    Args:
        value: As JSON has it: dicts for objects, texts for dates and decimals, lists for tuples.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class Misfit(Exception):
    """Plain data that can't become what is annotated. Names the place and both kinds."""


_TEXTS: dict[Any, Callable[[Any], object]] = {
    decimal.Decimal: lambda value: decimal.Decimal(str(value)),
    uuid.UUID: uuid.UUID,
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.date: datetime.date.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
    datetime.timedelta: lambda seconds: datetime.timedelta(seconds=seconds),
    Path: Path,
    float: float,
    bytes: bytes.fromhex,
}
_GATHERED: set[Any] = {tuple, set, frozenset}
_PLAIN: set[Any] = {type(None), bool, int, str}


def shaped(value: Any, hint: Any, scope: Mapping[str, Any], build: Build, at: str = "it") -> Any:
    """`value` as `hint` says.

    Args:
        value: Plain data.
        hint: What is expected: an annotation, or a text that is one.
        scope: What names in texts mean.
        build: Makes an object of a class of its fields.
        at: Where it is, for errors.

    Raises:
        Misfit: It can't be that.
    """
    hint = _meant(hint, scope)
    origin = typing.get_origin(hint)
    if hint is Any or hint is object:
        return value
    if origin is typing.Literal:
        for each in typing.get_args(hint):
            known = each.value if isinstance(each, enum.Enum) else each
            if class_of(known) is class_of(value) and known == value:
                return each
        raise _misfit(value, hint, at)
    if origin in {typing.Union, types.UnionType}:
        return _one_of(value, typing.get_args(hint), scope, build, at)
    if origin is not None:
        return _filled(value, origin, typing.get_args(hint), scope, build, at)
    if not isinstance(hint, type):
        return value
    return _made(value, hint, scope, build, at)


def _meant(hint: Any, scope: Mapping[str, Any]) -> Any:
    for _ in range(32):
        if isinstance(hint, str | typing.ForwardRef):
            text = hint if isinstance(hint, str) else hint.__forward_arg__
            try:
                hint = eval(text, {**vars(typing), **scope})  # noqa: S307  the program's own
            except Exception:  # noqa: BLE001  any: an expression of the user's
                return Any
        elif hint is None:
            return type(None)
        elif typing.get_origin(hint) is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif isinstance(hint, typing.TypeVar):
            hint = hint.__bound__ or Any
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            break
    return hint


def _one_of(
    value: Any, hints: tuple[Any, ...], scope: Mapping[str, Any], build: Build, at: str
) -> Any:
    meant = [_meant(hint, scope) for hint in hints]
    if class_of(value) in _PLAIN.intersection(each for each in meant if isinstance(each, type)):
        return value
    for each in meant:
        try:
            return shaped(value, each, scope, build, at)
        except (Misfit, DecodeError):
            continue
    raise _misfit(value, " | ".join(map(_named, meant)), at)


def _filled(
    value: Any,
    origin: Any,
    hints: tuple[Any, ...],
    scope: Mapping[str, Any],
    build: Build,
    at: str,
) -> Any:
    if not isinstance(origin, type):
        return value
    if issubclass(origin, Mapping):
        if class_of(value) is not dict:
            raise _misfit(value, origin, at)
        key_hint, item_hint = hints
        return {
            shaped(key, key_hint, scope, build, at): shaped(
                item, item_hint, scope, build, f"{at}[…]"
            )
            for key, item in value.items()
        }
    if names_of(origin) is not None:
        return _made(value, origin, scope, build, at)
    if class_of(value) is not list:
        raise _misfit(value, origin, at)
    is_fixed = derives(origin, tuple) and hints[-1:] != (...,)
    if is_fixed and len(hints) != len(value):
        raise _misfit(value, f"tuple of {len(hints)}", at)
    each = hints if is_fixed else (hints[0],) * len(value)
    made = [
        shaped(item, hint, scope, build, f"{at}[{number}]")
        for number, (item, hint) in enumerate(zip(value, each, strict=True))
    ]
    return _gathered(made, origin)


def _made(value: Any, kind: Any, scope: Mapping[str, Any], build: Build, at: str) -> Any:
    is_dict = class_of(value) is dict
    if is_pydantic(kind):
        try:
            return kind.model_validate(value)
        except ValueError as error:
            raise _misfit(value, kind, at) from error
    if derives(kind, enum.Enum):
        known = {member.value: member for member in kind}
        if value in kind.__members__:
            return kind.__members__[value]
        if value in known:
            return known[value]
        raise _misfit(value, kind, at)
    is_typed = isinstance(getattr(kind, "__total__", None), bool)
    if is_typed or names_of(kind) is not None:
        if not is_dict:
            raise _misfit(value, kind, at)
        fields = _fields(value, kind, scope, build, at)
        return fields if is_typed else build(kind, fields)
    if class_of(value) is kind or (kind is dict and is_dict):
        return value
    if kind in _TEXTS and class_of(value) in {str, int, float}:
        try:
            return _TEXTS[kind](value)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise _misfit(value, kind, at) from error
    if kind in _GATHERED and class_of(value) is list:
        return _gathered(value, kind)
    raise _misfit(value, kind, at)


def _gathered(items: list[Any], kind: Any) -> Any:
    return kind(items) if kind in _GATHERED else items


def _fields(
    value: dict[str, Any], kind: Any, scope: Mapping[str, Any], build: Build, at: str
) -> dict[str, Any]:
    import inspect
    import sys

    hints: dict[str, tuple[Any, Mapping[str, Any]]] = {}
    for each in reversed(kind.__mro__):
        module: Any = sys.modules.get(each.__module__)
        there: dict[str, Any] = {**scope, **getattr(module, "__dict__", {}), each.__name__: each}
        hints.update({name: (hint, there) for name, hint in inspect.get_annotations(each).items()})
    return {
        name: shaped(item, *hints[name], build, f"{at}.{name}") if name in hints else item
        for name, item in value.items()
    }


def _named(hint: Any) -> str:
    return name_of(hint) if isinstance(hint, type) else str(hint)


def _misfit(value: Any, hint: Any, at: str) -> Misfit:
    return Misfit(f"{at} was given as a {class_of(value).__name__}, where {_named(hint)} belongs")
