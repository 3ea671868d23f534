"""What `retry_after` reads, in every form, from every mapping, and what it does not."""

import email.utils
import math
import time
import urllib.error
from datetime import UTC, datetime
from email.message import Message

import aiohttp
import httpx
import multidict
import pytest
import requests
import seawall
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from seawall.clients.dates import http_date
from seawall.clients.retry_after import retry_after

from tests import needs
from tests.clients.answers import NOW, AnsweredError, answer, asked, never, raised_from


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("Retry-After", "120", 120.0),
        ("Retry-After", "0", 0.0),
        ("Retry-After", "1.5", 1.5),
        ("Retry-After", " 7\t", 7.0),
        ("retry-after-ms", "1500", 1.5),
        ("retry-after-ms", "0.5", 0.0005),
        ("x-ms-retry-after-ms", "20", 0.02),
        ("x-amz-retry-after", "1500", 1.5),
        ("grpc-retry-pushback-ms", "250", 0.25),
        ("grpc-retry-pushback-ms", "0", 0.0),
        ("grpc-retry-pushback-ms", "-1", math.inf),
        ("grpc-retry-pushback-ms", "1.5", math.inf),
        ("grpc-retry-pushback-ms", "", math.inf),
        ("grpc-retry-pushback-ms", "later", math.inf),
    ],
)
def test_numbers(name: str, value: str, seconds: float):
    """Each header has its unit, asks for no clock, and is found in whatever letters."""
    for spelt in (name, name.upper(), name.lower(), name.title()):
        assert retry_after(answer({spelt: value}), now=never) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-5",
        "+5",
        "nan",
        "inf",
        "1e3",
        "0x10",
        "1_000",
        "5s",
        "5 5",
        ".",
        "٣",
        "9" * 16,
        "soon",
        "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
        None,
        True,
        math.nan,
        math.inf,
        -1,
        10**5000,
        object(),
    ],
    ids=lambda value: repr(value)[:40] if value != 10**5000 else "huge",
)
def test_garbage_asks_for_nothing(value: object):
    """What is no wait, is negative or is no number at all is as if it were not there."""
    for name in ("Retry-After", "retry-after-ms", "x-amz-retry-after"):
        assert asked({name: value}) is None
        assert asked({name: value, "x-ms-retry-after-ms": "2000"}) == 2.0


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "sun, 6 nov 1994 08:49:37 gmt",
        "Sun, 06-Nov-1994 08:49:37 UTC",
    ],
)
def test_dates(date: str):
    """All three forms of RFC 9110 are understood, and the usual slips; the past is now."""
    assert asked({"Retry-After": date}, NOW - 90.5) == 90.5
    assert asked({"Retry-After": date}, NOW) == 0.0
    assert asked({"Retry-After": date}, NOW + 1000) == 0.0
    assert asked({"retry-after-ms": date}) is None


@needs.time_zones
@pytest.mark.parametrize(
    "zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "ABC-14", "XYZ12"]
)
def test_time_zones(zone: str, monkeypatch: pytest.MonkeyPatch):
    """Aiobreaker's bug: east and west of Greenwich a date is the same wait."""
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            date = email.utils.formatdate(time.time() + 60, usegmt=True)
            wait = retry_after(answer({"Retry-After": date}), now=time.time)
    finally:
        time.tzset()
    assert wait is not None
    assert 50 < wait <= 60


def test_the_last_of_a_leap_second():
    """HTTP allows a second of 60."""
    assert asked({"Retry-After": "Fri, 30 Dec 2016 23:59:60 GMT"}, 1483142400.0 - 5) == 5.0


@pytest.mark.parametrize(
    ("this_year", "digits", "year"),
    [(1994, 94, 1994), (1994, 44, 2044), (1994, 45, 1945), (2026, 75, 2075), (2026, 77, 1977),
     (2026, 0, 2000), (2099, 5, 2105)],
)  # fmt: skip
def test_years_of_two_digits(this_year: int, digits: int, year: int):
    """Such a year is the nearest one, and never more than 50 years ahead."""
    now = datetime(this_year, 6, 1, tzinfo=UTC).timestamp()
    read = http_date(f"Sunday, 06-Nov-{digits:02} 08:49:37 GMT", now=lambda: now)
    assert read == datetime(year, 11, 6, 8, 49, 37, tzinfo=UTC).timestamp()


def test_a_date_is_measured_by_the_clock_that_wrote_it():
    """The answer's own `Date` outweighs our clock, and its age in a cache is added."""
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    headers = {"Date": "Sun, 06 Nov 1994 08:49:07 GMT", "Retry-After": date}
    assert retry_after(answer(headers), now=never) == 30.0
    assert retry_after(answer({**headers, "Age": "10"}), now=never) == 20.0
    assert asked({**headers, "Age": "-10"}) == 30.0
    assert asked({**headers, "Date": "yesterday"}, NOW - 5) == 5.0
    with pytest.raises(AssertionError, match="the clock was asked"):
        retry_after(answer({"Retry-After": date}), now=never)


def test_the_longest_of_several():
    """Of several headers, and of several values of one header, the longest wait holds."""
    assert asked({"Retry-After": "2", "retry-after-ms": "2500"}) == 2.5
    assert asked({"Retry-After": "3", "retry-after-ms": "2500"}) == 3.0
    assert asked({"Retry-After": "1, 5, 2"}) == 5.0
    assert asked({"Retry-After": ["1", "5", "2"]}) == 5.0
    assert asked([("Retry-After", "1"), ("retry-after", "5"), ("x", "9")]) == 5.0
    dates = "Sun, 06 Nov 1994 08:49:47 GMT, 4, Sunday, 06-Nov-94 08:49:57 GMT, garbage"
    assert asked({"Retry-After": dates}) == 20.0
    assert asked({"Retry-After": "5", "grpc-retry-pushback-ms": "-1"}) == math.inf


def message(pairs: list[tuple[str, str]]) -> Message:
    """The headers of the standard library."""
    made = Message()
    for name, value in pairs:
        made[name] = value
    return made


MAPPINGS = {
    "dict": dict,
    "list": list,
    "tuple": tuple,
    "httpx": httpx.Headers,
    "requests": requests.structures.CaseInsensitiveDict,
    "urllib3": urllib3.HTTPHeaderDict,
    "aiohttp": lambda pairs: multidict.CIMultiDictProxy(multidict.CIMultiDict(pairs)),
    "http.client": message,
    "bytes": lambda pairs: [(name.encode(), value.encode()) for name, value in pairs],
}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_mappings(mapping: str):
    """Headers are found in every client's own mapping, twice where it keeps both."""
    make = MAPPINGS[mapping]
    assert asked(make([("Content-Type", "text/plain"), ("RETRY-After", "7")])) == 7.0
    assert asked(make([("Content-Type", "text/plain")])) is None
    if mapping not in ("dict", "requests"):
        assert asked(make([("Retry-After", "9"), ("Retry-After", "7")])) == 9.0


def test_where_it_is_found():
    """On the exception, its response, what it wraps and what it was raised from: the nearest."""
    headers = {"Retry-After": "7"}
    for error in (
        AnsweredError(headers=headers),
        AnsweredError(response=answer(headers)),
        AnsweredError(response={"ResponseMetadata": {"HTTPHeaders": headers}}),
        aiohttp.ClientResponseError(None, (), status=503, headers=headers),
        urllib.error.URLError(AnsweredError(headers=headers)),
        raised_from(raised_from(AnsweredError(headers=headers))),
        RuntimeError(AnsweredError(headers=headers)),
    ):
        assert retry_after(error, now=never) == 7.0, error
    assert retry_after({"ResponseMetadata": {"HTTPHeaders": headers}}, now=never) == 7.0
    near = AnsweredError(headers={"Retry-After": "1"})
    near.__cause__ = AnsweredError(headers=headers)
    assert retry_after(near, now=never) == 1.0
    after = RuntimeError()
    after.__context__ = AnsweredError(headers=headers)
    assert retry_after(after, now=never) is None


def test_groups():
    """Of a group, the longest wait that any member's answer asks for."""
    one, two = (AnsweredError(headers={"Retry-After": text}) for text in ("1", "2"))
    group = ExceptionGroup("", [one, ExceptionGroup("", [two]), ValueError()])
    assert retry_after(group, now=never) == 2.0
    assert retry_after(ExceptionGroup("", [ValueError()]), now=never) is None


def test_rejections():
    """A rejection that somebody chose to retry says itself when it may be."""
    assert retry_after(seawall.Rejected("shop", 1.25), now=never) == 1.25
    assert retry_after(raised_from(seawall.Rejected("shop", 0.0)), now=never) == 0.0
    assert retry_after(seawall.Rejected("shop", None), now=never) is None
    assert retry_after(seawall.Rejected("shop", math.inf), now=never) is None


@given(st.floats(0, 1e9), st.integers(0, 10**9))
def test_any_number_survives(seconds: float, milliseconds: int):
    """Numbers come back as they were sent."""
    sent = f"{seconds:.6f}"
    assert asked({"Retry-After": sent}) == float(sent)
    assert asked({"retry-after-ms": str(milliseconds)}) == milliseconds / 1000


DATES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001
    lambda date: date.replace(microsecond=0, tzinfo=UTC)
)


@given(DATES)
def test_any_date_survives(date: datetime):
    """Every date means the same second in all three forms, as the standard library writes them."""
    expected = date.timestamp()
    fixed = email.utils.format_datetime(date, usegmt=True)
    assert http_date(fixed, now=never) == expected
    assert http_date(time.asctime(date.timetuple()), now=never) == expected
    obsolete = date.strftime("%A, %d-%b-%y %H:%M:%S GMT")
    assert http_date(obsolete, now=lambda: expected) == expected
    assert asked({"Retry-After": f"{fixed}, {fixed}"}, expected - 3) == 3.0
