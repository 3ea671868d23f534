"""The defaults of fields, of the usual kinds of classes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from seawall.codecs.fields import derives, is_pydantic

__all__ = ["defaults_of"]


def defaults_of(kind: Any) -> dict[str, Callable[[], object]]:
    """What makes the defaults of fields that have one."""
    found: dict[str, Callable[[], object]] = {}

    def keep(name: str, default: object, factory: Any = None) -> None:
        found[name] = factory if factory is not None else lambda: default

    if (fields := getattr(kind, "__dataclass_fields__", None)) is not None:
        from dataclasses import MISSING

        for field in fields.values():
            if field.default_factory is not MISSING:
                keep(field.name, None, field.default_factory)
            elif field.default is not MISSING:
                keep(field.name, field.default)
    elif derives(kind, tuple):
        for name, default in getattr(kind, "_field_defaults", {}).items():
            keep(name, default)
    elif is_pydantic(kind):
        for name, field in kind.model_fields.items():
            if not field.is_required():
                keep(name, None, lambda field=field: field.get_default(call_default_factory=True))
    elif hasattr(kind, "__struct_fields__"):
        msgspec: Any = sys.modules["msgspec"]
        for field in msgspec.structs.fields(kind):
            if field.default is not msgspec.NODEFAULT:
                keep(field.name, field.default)
            elif field.default_factory is not msgspec.NODEFAULT:
                keep(field.name, None, field.default_factory)
    else:
        for field in kind.__attrs_attrs__:
            factory = getattr(field.default, "factory", None)
            if factory is not None and not field.default.takes_self:
                keep(field.name, None, factory)
            elif factory is None and type(field.default).__name__ != "_Nothing":
                keep(field.name, field.default)
    return found
