"""Dates and times as texts: ISO 8601, and after it the zone, as RFC 9557 writes it."""

from __future__ import annotations

import datetime
from typing import Any

from seawall.codecs.fields import class_of

__all__ = ["datetime_of", "datetime_text", "time_of", "time_text", "zone"]


def zone(key: str) -> Any:
    """The zone of this name."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(key)


def _named(zone: Any) -> str | None:
    # Told by its class's name, so that a program without zones does not load them.
    kind = class_of(zone)
    is_one = kind.__qualname__ == "ZoneInfo" and kind.__module__.startswith("zoneinfo")
    return zone.key if is_one else None


def datetime_text(at: datetime.datetime) -> str:
    """Another library's zone becomes its offset: the instant stays."""
    key = _named(at.tzinfo)
    return f"{at.isoformat()}{'~' if at.fold else ''}{'' if key is None else f'[{key}]'}"


def datetime_of(text: str) -> datetime.datetime:
    """What was written; in a zone whose rules have changed since, the same instant."""
    text, key = _split(text)
    at = datetime.datetime.fromisoformat(text.removesuffix("~"))
    if text.endswith("~"):
        at = at.replace(fold=1)
    if key is None:
        return at
    there = zone(key)
    shown = at.replace(tzinfo=there)
    return shown if shown.utcoffset() == at.utcoffset() else at.astimezone(there)


def time_text(at: datetime.time) -> str:
    """A time in a zone has no offset of its own: the zone is all there is."""
    key = _named(at.tzinfo)
    return f"{at.isoformat()}{'~' if at.fold else ''}{'' if key is None else f'[{key}]'}"


def time_of(text: str) -> datetime.time:
    """What was written."""
    text, key = _split(text)
    at = datetime.time.fromisoformat(text.removesuffix("~"))
    fold = int(text.endswith("~"))
    return at.replace(fold=fold) if key is None else at.replace(tzinfo=zone(key), fold=fold)


def _split(text: str) -> tuple[str, str | None]:
    if not text.endswith("]"):
        return text, None
    text, _, key = text[:-1].partition("[")
    return text, key
