"""How long an answer asks its client to wait before the next try."""

from __future__ import annotations

import math
import re
from itertools import islice

from seawall.clients.dates import DAY, http_date
from seawall.clients.headers import LONGEST, listed, trailing
from seawall.clients.signs import entry, is_dict, look, special
from seawall.clients.within import chain, is_group, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seawall.clients.headers import Headers

_PUSHBACK = "grpc-retry-pushback-ms"
_DATED = "retry-after"
_UNITS = {_DATED: 1, "retry-after-ms": 1000, "x-ms-retry-after-ms": 1000, "x-amz-retry-after": 1000}
"""Header → its parts of a second."""
_READ = frozenset({*_UNITS, _PUSHBACK, "date", "age"})
_MOST_MEMBERS = 1000
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{0,15})?")
_WHOLE = re.compile(r"[0-9]{1,15}")


def retry_after(outcome: object, *, now: Callable[[], float]) -> float | None:
    """Seconds that the answer in an outcome asks its client to wait before it tries again.

    Read are ``Retry-After`` (RFC 9110 section 10.2.3: seconds, also with a fraction, or a date in
    any of HTTP's forms), ``retry-after-ms`` and ``x-ms-retry-after-ms`` (Azure and others),
    ``x-amz-retry-after`` (AWS, in milliseconds) and gRPC's ``grpc-retry-pushback-ms`` (gRFC A6),
    in headers and trailing metadata: on the exception, on its ``response``, on a returned
    response, in botocore's ``ResponseMetadata``, and on what the exception wraps or was raised
    from, the nearest that says anything. Several values: the longest. Of a group the longest of
    its members. One of seawall's own rejections has its ``retry_after``.

    A date is measured from the answer's own ``Date`` (and ``Age``, if a cache kept it), where it
    has one: both were written by one clock, and the wait that was meant is their difference,
    however wrong the clock of this machine is. A date that has passed is a wait of 0.0.

    Args:
        outcome: The exception that was raised, or the value that was returned.
        now: The time in seconds since the epoch; asked for only where a date needs it.

    Returns:
        Seconds, 0.0 or more. `math.inf`: a gRPC server asks not to try again at all, which it says
        with a pushback that is negative or no number. None: nothing is asked for, or nothing that
        can be understood.
    """
    if is_group(outcome):
        asked = [_of_one(member, now) for member in islice(members(outcome), _MOST_MEMBERS)]
        return max((seconds for seconds in asked if seconds is not None), default=None)
    return _of_one(outcome, now)


def _of_one(outcome: object, now: Callable[[], float]) -> float | None:
    if isinstance(outcome, Exception):
        asked = (_of_error(error, now) for error in chain(outcome))
        return next((seconds for seconds in asked if seconds is not None), None)
    return None if isinstance(outcome, BaseException) else _asked(_carried(outcome), now)


def _of_error(error: Exception, now: Callable[[], float]) -> float | None:
    apart = special(type(error))
    if apart == "rejected":
        wait = look(error, "retry_after")
        return float(wait) if isinstance(wait, (int, float)) and 0 <= wait < math.inf else None
    found = [*_carried(look(error, "response")), *listed(look(error, "headers"), _READ)]
    if apart == "grpc":
        found += listed(trailing(error), _READ)
    return _asked(found, now)


def _carried(response: object) -> Headers:
    if is_dict(response):
        return listed(entry(entry(response, "ResponseMetadata"), "HTTPHeaders"), _READ)
    return listed(look(response, "headers"), _READ)


def _asked(headers: Headers, now: Callable[[], float]) -> float | None:
    """The longest wait that any of the headers asks for."""
    waits: list[float] = []
    dates: list[float] = []
    for name, value in headers:
        if name == _PUSHBACK:
            whole = value.strip(" \t")
            waits.append(int(whole) / 1000 if _WHOLE.fullmatch(whole) else math.inf)
        elif name in _UNITS:
            for part in _parts(value):
                if (amount := _number(part)) is not None:
                    waits.append(amount / _UNITS[name])
                elif name == _DATED and (date := http_date(part, now=now)) is not None:
                    dates.append(date)
    if dates:
        waits.append(max(0.0, max(dates) - _clock(headers, now)))
    return max(waits, default=None)


def _parts(value: str) -> Iterator[str]:
    """Several headers of one name, which many clients join with commas; a date has one itself."""
    if len(value) > LONGEST:
        return
    day = ""
    for part in value.split(","):
        bare = part.strip(" \t")
        if DAY.fullmatch(bare):
            day = f"{bare}, "
        else:
            yield day + bare
            day = ""


def _number(text: str) -> float | None:
    bare = text.strip(" \t") if len(text) <= LONGEST else ""
    return float(bare) if _NUMBER.fullmatch(bare) else None


def _clock(headers: Headers, now: Callable[[], float]) -> float:
    """The time on the clock of the server, as its answer tells it, or else on ours."""
    said = dict(reversed(headers))
    date = http_date(said.get("date", "").strip(" \t"), now=now)
    return now() if date is None else date + (_number(said.get("age", "")) or 0.0)
