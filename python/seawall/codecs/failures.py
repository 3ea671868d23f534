"""Exceptions as what they said, and back.

One is kept as its class's name, its text, its notes and, if all of them are plain data, its
arguments. It is made again only of a class that was chosen by the user and is imported already,
and if that gives the same text; else a `ReplayedError` says its name and its text. Nothing is
imported, and nothing found, by what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from seawall.codecs.errors import DecodeError, ReplayedError
from seawall.codecs.fields import name_of
from seawall.codecs.messagepack import MessagePack

__all__ = ["Failures"]

#: Of a text or a note, so many characters are kept.
LONGEST = 4096
MOST_NOTES = 16


class Failures:
    """Writes the exceptions of an operation and makes them again.

    Args:
        classes: Those that may be made again, with all that are derived from them.
    """

    number = MessagePack.number

    def __init__(self, classes: Iterable[type[BaseException]] = ()) -> None:
        self._classes = tuple(classes)
        self._codec = MessagePack()

    def encode(self, error: BaseException) -> tuple[int, bytes]:
        """The number of the form, and the error in it. Always possible."""
        kept: dict[str, object] = {
            "type": name_of(type(error)),
            "message": _text(error),
            "notes": [_text(note) for note in _notes(error)],
        }
        if isinstance(error, ReplayedError):
            # Told again, it is still the first one.
            kept.update({"type": error.type_name, "message": error.message})
        else:
            kept.update(self._rebuilt(error) or {})
        return self.number, self._codec.encode(kept)

    def decode(self, number: int, data: bytes) -> BaseException:
        """The exception, or one that tells of it.

        Raises:
            DecodeError: It was written by another form, or is malformed.
        """
        if number != self.number:
            raise DecodeError(self._codec.name, f"an error was written by codec number {number}")
        kept: Any = self._codec.decode(data)
        try:
            name, message, notes = kept["type"], kept["message"], list(kept["notes"])
            if not all(isinstance(each, str) for each in (name, message, *notes)):
                raise TypeError(name)
        except (KeyError, TypeError) as error:
            raise DecodeError(self._codec.name, "it holds no error") from error
        kind = self._find(name)
        made = None
        if kind is not None and "args" in kept:
            made = _made(kind, kept["args"], kept.get("state"), message)
        if made is None:
            made = ReplayedError(name, message)
        for note in notes:
            made.add_note(note)
        return made

    def _rebuilt(self, error: BaseException) -> dict[str, object] | None:
        """What it can be made of again. It is tried when it is written, too."""
        kind = type(error)
        if self._find(name_of(kind)) is not kind:
            return None
        try:
            of = {"args": _arguments(error), "state": _state(error)}
            read: Any = self._codec.decode(self._codec.encode(of))
            made = _made(kind, read["args"], read["state"], _text(error))
            return None if made is None or made.args != error.args else of
        except Exception:  # noqa: BLE001  the class is the user's, and may raise anything
            return None

    def _find(self, name: str) -> type[BaseException] | None:
        for kind in _with_derived(self._classes):
            if name_of(kind) == name:
                return kind
        return None


def _with_derived(classes: Iterable[type[BaseException]]) -> Iterator[type[BaseException]]:
    """Each class, then all that are derived from it so far."""
    left = list(classes)
    seen: set[int] = set()
    while left:
        kind = left.pop()
        if id(kind) not in seen:
            seen.add(id(kind))
            yield kind
            left.extend(type.__subclasses__(kind))


def _made(kind: type[BaseException], args: Any, state: Any, message: str) -> BaseException | None:
    try:
        made = kind(*args)
        for name, value in state.items():
            setattr(made, name, value)
        same = type(made) is kind and _text(made) == message
    except Exception:  # noqa: BLE001  the class is the user's, and may raise anything
        return None
    return made if same else None


def _arguments(error: BaseException) -> object:
    """What its class says it is made of; an `OSError` keeps less than that in its `args`."""
    try:
        reduced: Any = error.__reduce__()
        kind, args = reduced[:2]
    except Exception:  # noqa: BLE001  the class is the user's, and may raise anything
        return error.args
    is_own: bool = kind is type(error)
    return args if is_own else error.args


def _state(error: BaseException) -> dict[str, object]:
    return {
        name: value for name, value in getattr(error, "__dict__", {}).items() if name != "__notes__"
    }


def _notes(error: BaseException) -> list[object]:
    try:
        notes: object = getattr(error, "__notes__", None)
    except Exception:  # noqa: BLE001  the class is the user's, and may raise anything
        return []
    return cast("list[object]", notes)[:MOST_NOTES] if isinstance(notes, list) else []


def _text(said: object) -> str:
    try:
        return _cut(str(said))
    except Exception:  # noqa: BLE001  an error, or a note, that can't say what it is
        return ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
