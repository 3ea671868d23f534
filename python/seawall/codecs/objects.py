"""Objects as the name of their class and their fields, and back.

An object is restored, not constructed: what it held is put into it, and no `__init__` decides anew
what a result was. Structs of msgspec can't be made otherwise and are constructed. A field that the
class has got since, and has a default for, is given that.
"""

from __future__ import annotations

import collections
import enum
from collections.abc import Callable
from typing import Any, cast

from seawall.codecs.annotated import AsAnnotated, Misfit
from seawall.codecs.classes import Classes
from seawall.codecs.defaults import defaults_of
from seawall.codecs.errors import DecodeError
from seawall.codecs.fields import attributes, class_of, derives, is_pydantic, name_of, names_of
from seawall.codecs.models import lower_model, restore_model
from seawall.codecs.plain import plain_of, slots_of

__all__ = ["build", "lower"]

#: No class has this name: a result that an operator gave.
AS_ANNOTATED = "as annotated"
_MISSING = object()
_new_tuple: Callable[[Any, list[Any]], object] = cast("Any", tuple).__new__
_MUTABLE: set[Any] = {list, dict, set, bytearray}

# Containers of the standard library: what they hold, and how they are made again.
_FACTORIES: dict[str, Any] = {"list": list, "dict": dict, "set": set, "int": int, "str": str}
_Standard = tuple[Callable[[Any], "dict[str, object]"], Callable[["dict[str, Any]"], object]]
_STANDARD: dict[str, _Standard] = {
    "collections.OrderedDict": (
        lambda value: {"": list(value.items())},
        lambda fields: collections.OrderedDict(fields[""]),
    ),
    "collections.Counter": (
        lambda value: {"": dict(value)},
        lambda fields: cast("object", collections.Counter(fields[""])),
    ),
    "collections.deque": (
        lambda value: {"": list(value), "maxlen": value.maxlen},
        lambda fields: collections.deque(fields[""], fields["maxlen"]),
    ),
    "collections.defaultdict": (
        lambda value: {"": dict(value), "factory": _factory(value.default_factory)},
        lambda fields: collections.defaultdict(_FACTORIES.get(fields["factory"]), fields[""]),
    ),
}


class _Unwritable(Exception):
    pass


def _factory(factory: Any) -> str | None:
    if factory is None:
        return None
    name = getattr(factory, "__name__", "")
    if _FACTORIES.get(name) is not factory:
        raise _Unwritable("has a default factory that is none of list, dict, set, int and str")
    return str(name)


def lower(value: Any, classes: Classes) -> tuple[str, dict[str, object] | str]:
    """The name of its class with its fields, or with a text that says why that can't be."""
    kind = class_of(value)
    plan = classes.plans.get(kind)
    if plan is not None:
        return plan[0], attributes(value, plan[1])
    if kind is AsAnnotated:
        return AS_ANNOTATED, {"": value.value}
    name = name_of(kind)
    standard = _STANDARD.get(name)
    if standard is not None:
        try:
            return name, standard[0](value)
        except _Unwritable as why:
            return name, str(why)
    is_enum = isinstance(value, enum.Enum)
    names = None if is_enum else names_of(kind)
    plain = None if is_enum or names is not None else plain_of(kind)
    if not is_enum and names is None and plain is None:
        return name, f"is a {name}, which is neither plain data nor has fields that are known"
    if not classes.holds(kind):
        return name, (
            f"is a {name}, but {classes.says()}: annotate what is returned, or name the class in "
            "the codec's types="
        )
    if is_enum:
        # A combination of flags is no member and has a name of its own making.
        by_value = isinstance(value, enum.Flag)
        return name, {"value": value._value_} if by_value else {"name": value._name_}
    if names is not None:
        if is_pydantic(kind):
            return name, lower_model(value)
        classes.plans[kind] = name, names
        return name, attributes(value, names)
    assert plain is not None  # noqa: S101  looked at above
    held = {**getattr(value, "__dict__", {}), **attributes(value, slots_of(kind))}
    return name, {**held, "": plain[1](value)}


def build(name: str, fields: dict[str, Any], classes: Classes, codec: str) -> object:
    """The object that had these fields.

    Raises:
        DecodeError: Its class is not known here, or is not what it was.
    """
    standard = _STANDARD.get(name)
    kind: Any = None
    try:
        if standard is not None:
            return standard[1](fields)
        if name == AS_ANNOTATED:
            return classes.shaped(fields[""], lambda of, held: _restored(of, held, "dict", codec))
        kind = classes.find(name)
        if kind is None:
            raise DecodeError(codec, f"it holds a {name}, but {classes.says()}")
        return _restored(kind, fields, name, codec)
    except DecodeError:
        raise
    except Misfit as misfit:
        raise DecodeError(codec, str(misfit)) from misfit
    except Exception as error:
        now = "" if kind is None else f" as the {name_of(kind)} of today"
        problem = f"a {name} can't be built{now} ({type(error).__name__})"
        raise DecodeError(codec, problem) from error


def _restored(kind: Any, fields: dict[str, Any], name: str, codec: str) -> object:
    if derives(kind, enum.Enum):
        is_flag = derives(kind, enum.Flag)
        return kind(fields["value"]) if is_flag else kind.__members__[fields["name"]]
    names = names_of(kind)
    if names is None:
        return _derived(kind, fields)
    if list(fields) == names:
        return _filled(kind, fields, fields)
    complete = all(each in fields for each in names)
    defaults = {} if complete else defaults_of(kind)
    missing = [each for each in names if each not in fields and each not in defaults]
    unknown = [each for each in fields if each not in names and each]
    if missing or unknown:
        raise DecodeError(
            codec,
            f"it holds a {name} with the fields {_listed(fields)}, but {name_of(kind)} now has "
            f"{_listed(names)}",
        )
    held = {each: fields[each] if each in fields else defaults[each]() for each in names}
    return _filled(kind, held, fields)


def _filled(kind: Any, held: dict[str, Any], fields: dict[str, Any]) -> object:
    if is_pydantic(kind):
        return restore_model(kind, held, fields.get(""), set(fields))
    if derives(kind, tuple):
        return _new_tuple(kind, list(held.values()))
    if hasattr(kind, "__struct_fields__"):
        return kind(**held)
    self = kind.__new__(kind)
    for each, value in held.items():
        object.__setattr__(self, each, value)
    return self


def _listed(names: Any) -> str:
    return ", ".join(sorted(name for name in names if name)) or "none"


def _derived(kind: Any, fields: dict[str, Any]) -> object:
    plain = plain_of(kind)
    content = fields.pop("", _MISSING)
    if plain is None or content is _MISSING:
        raise TypeError("derived from nothing plain any more")
    base: Any = plain[0]
    if base in _MUTABLE:
        self = base.__new__(kind)
        base.__init__(self, content)
    else:
        self = base.__new__(kind, content)
    for each, value in fields.items():
        object.__setattr__(self, each, value)
    return self
