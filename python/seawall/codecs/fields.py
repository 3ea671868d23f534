"""The fields of the usual kinds of classes, recognised by what they carry: nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["attributes", "class_of", "derives", "is_pydantic", "name_of", "names_of"]

_MISSING = object()


def class_of(value: object) -> Any:
    """The class of a value, of which anything may be asked."""
    return type(value)


def derives(kind: Any, of: Any) -> bool:
    """Whether it is this class or derived from it."""
    return issubclass(kind, of)


def name_of(kind: type) -> str:
    """The full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def is_pydantic(kind: Any) -> bool:
    """Whether it is a model of pydantic."""
    return hasattr(kind, "__pydantic_validator__") and hasattr(kind, "model_fields")


def names_of(kind: Any, *, compared: bool = False) -> list[str] | None:
    """The fields of a class that has such, or None.

    Those of dataclasses, of named tuples, and of the classes of pydantic, msgspec and attrs.

    Args:
        kind: The class.
        compared: Only those that two of its instances are compared by.
    """
    if (fields := getattr(kind, "__dataclass_fields__", None)) is not None:
        # What is no field (a ClassVar, an InitVar) is listed there too, marked as such.
        return [
            field.name
            for field in fields.values()
            if field._field_type.name == "_FIELD" and (field.compare or not compared)
        ]
    if derives(kind, tuple):
        named = getattr(kind, "_fields", None)
        return None if named is None else list(named)
    if is_pydantic(kind):
        return list(kind.model_fields)
    if (structured := getattr(kind, "__struct_fields__", None)) is not None:
        return list(structured)
    if (defined := getattr(kind, "__attrs_attrs__", None)) is not None:
        return [field.name for field in defined if field.eq or not compared]
    return None


def attributes(value: object, names: Iterable[str]) -> dict[str, object]:
    """Those of `value` that are set, by their names."""
    try:
        return {name: getattr(value, name) for name in names}
    except AttributeError:
        found = ((name, getattr(value, name, _MISSING)) for name in names)
        return {name: held for name, held in found if held is not _MISSING}
