"""Models of pydantic, restored as pydantic itself restores a pickled one, without validation.

Beside its fields a model has extra ones, if it allows them, and knows which were set. Private
attributes are no part of a result; they begin with their defaults.
"""

from __future__ import annotations

from typing import Any

from seawall.codecs.fields import attributes, class_of

__all__ = ["lower_model", "restore_model"]


def lower_model(model: Any) -> dict[str, object]:
    """The fields; under no name, what else there is."""
    names: list[str] = list(class_of(model).model_fields)
    fields = attributes(model, names)
    extra = getattr(model, "__pydantic_extra__", None)
    were_set = sorted(model.__pydantic_fields_set__)
    if extra or were_set != sorted(names):
        fields[""] = {"extra": extra, "set": were_set}
    return fields


def restore_model(kind: Any, held: dict[str, Any], rest: Any, stored: set[str]) -> object:
    """The model that had these fields."""
    extra = rest["extra"] if rest else None
    if extra is None and kind.model_config.get("extra") == "allow":
        extra = {}
    private = {
        name: attribute.get_default() for name, attribute in kind.__private_attributes__.items()
    }
    model = kind.__new__(kind)
    model.__setstate__(
        {
            "__dict__": held,
            "__pydantic_extra__": extra,
            "__pydantic_fields_set__": set(rest["set"]) if rest else stored,
            "__pydantic_private__": private or None,
        }
    )
    return model
