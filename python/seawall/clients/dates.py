"""HTTP's dates: RFC 9110, section 5.6.7, all three forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_MONTH = r"(?P<month>[a-z]{3})"
_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        # Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT; and their mixtures.
        rf"{_DAY}, ?(?P<day>\d\d?)[ -]{_MONTH}[ -](?P<year>\d{{4}}|\d\d) {_TIME} (?:gmt|utc)",
        # Sun Nov  6 08:49:37 1994
        rf"{_DAY} {_MONTH} (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)
DAY = re.compile(_DAY, re.ASCII | re.IGNORECASE)
"""The name of a day, which a comma parts from the rest of its date."""


def http_date(text: str, *, now: Callable[[], float]) -> float | None:
    """The seconds since the epoch that a date means; None if it is none.

    Args:
        text: The date, without spaces around it.
        now: The time in seconds since the epoch, asked for if the date has a year of two digits,
            which is the one nearest to now, and at most 50 years ahead.
    """
    match = next(filter(None, (form.fullmatch(text) for form in _FORMS)), None)
    if match is None or match["month"].lower() not in _MONTHS:
        return None
    year, second = int(match["year"]), int(match["second"])
    # The last of a leap second is the first of the next.
    leap = second == 60
    try:
        if len(match["year"]) == 2:
            this = datetime.fromtimestamp(now(), UTC).year
            year = this - 49 + (year - this + 49) % 100
        date = datetime(
            year,
            _MONTHS.index(match["month"].lower()) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            second - leap,
            tzinfo=UTC,
        )
    except (ValueError, OverflowError, OSError):  # no such day, or a clock past the last year
        return None
    return date.timestamp() + leap
