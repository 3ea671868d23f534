"""A mapping that is what it was when it was made."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["Facts"]


class Facts(dict[str, "Any"]):
    """A dict that can't be changed, but copied, pickled and written as JSON like any other."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("these facts can't be changed: copy them with dict() first")

    __setitem__ = __delitem__ = __ior__ = _refuse  # pyright: ignore[reportAssignmentType]
    clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuilt in one go, since nothing can be put in afterwards."""
        return Facts, (dict(self),)
