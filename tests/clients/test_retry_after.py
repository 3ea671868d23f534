"""What `retry_after` reads, in every form, from every mapping, and what it does not."""

import email.utils
import math
import time
import urllib.error
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from types import SimpleNamespace
from unittest.mock import MagicMock, Mock

import aiohttp
import httpx
import multidict
import pytest
import requests
import seawall
import urllib3
from hypothesis import example, given
from hypothesis import strategies as st
from seawall.clients.dates import http_date
from seawall.clients.retry_after import retry_after

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC).timestamp()


def never() -> float:
    """A clock that must not be asked."""
    raise AssertionError("the clock was asked")


def answer(headers: object) -> SimpleNamespace:
    """A response that was returned."""
    return SimpleNamespace(status_code=503, headers=headers)


def asked(headers: object, now: float = NOW) -> float | None:
    """The wait that the headers of an answer ask for."""
    return retry_after(answer(headers), now=lambda: now)


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


class AnsweredError(Exception):
    """A stranger that knows its answer."""

    def __init__(self, **known: object) -> None:
        super().__init__("no")
        self.__dict__.update(known)


def raised_from(cause: BaseException) -> Exception:
    """An error of the caller's own."""
    error = RuntimeError()
    error.__cause__ = cause
    return error


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


class PricklyError(Exception):
    """Raises when looked at."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


class Prickly(dict):
    """Raises when listed."""

    def items(self) -> Iterator[object]:
        yield "Retry-After", "7"
        raise RuntimeError


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        0,
        "Retry-After: 7",
        {"Retry-After": "7"},
        Mock(),
        MagicMock(),
        PricklyError(),
        Prickly(),
        answer(None),
        answer(7),
        answer("Retry-After"),
        answer([None, ("Retry-After",), ("Retry-After", "7", "8"), 7]),
        answer(Prickly()),
        AnsweredError(headers=Mock(), response=Mock(), trailing_metadata=Mock()),
        KeyboardInterrupt(),
        raised_from(KeyboardInterrupt()),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_strangers_ask_for_nothing(outcome: object):
    """Nothing that an outcome is or raises gets out, or is taken for a wait."""
    assert retry_after(outcome, now=never) is None


def test_a_clock_that_fails_is_the_callers():
    """Only what an outcome raises is swallowed."""
    with pytest.raises(ZeroDivisionError):
        retry_after(answer({"Retry-After": "Sun Nov  6 08:49:37 1994"}), now=lambda: 1 / 0)


@pytest.mark.parametrize(
    "headers",
    [
        [("Retry-After", "Sun, 06 Nov 1994 08:49:57 GMT, " * 8)] * 2**20,
        {"Retry-After": ["Sun Nov  6 08:49:57 1994"] * 2**20},
        [("Retry-After", "20"), *[("Retry-After", "x," * 120)] * 2**20],
    ],
    ids=["joined", "listed", "parts"],
)
def test_work_is_bounded_where_something_is_said(headers: object):
    """A flood of waits is understood in a moment, by its beginning."""
    started = time.thread_time()
    assert asked(headers) == 20.0
    assert time.thread_time() - started < 0.5


class LockedError(OSError):
    """Raises when asked for what every exception has."""

    @property
    def args(self) -> object:
        raise RuntimeError

    errno = __cause__ = args


def test_what_every_exception_has_may_raise():
    """Even the attributes of the language itself are read with care."""
    assert retry_after(LockedError(), now=never) is None
    assert not seawall.transient(LockedError())
    assert not seawall.unhealthy(LockedError())


def endless() -> Iterator[tuple[str, str]]:
    """Headers without end."""
    while True:
        yield "Retry-After", "1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "9" * 2**20},
        {"Retry-After": "1," * 2**19},
        {"Retry-After": "Sun, " * 2**18},
        {"Retry-After": " " * 2**20 + "x"},
        {"retry-after-ms": b"9" * 2**20},
        {"x" * 2**20: "1"},
        {f"x-{number}": "1" for number in range(2**17)},
        [("Retry-After", "garbage")] * 2**20,
        {"Retry-After": ["garbage"] * 2**20},
    ],
    ids=["digits", "commas", "days", "blanks", "bytes", "name", "many", "same", "values"],
)
def test_work_is_bounded(headers: object):
    """However much an answer sends, it is read in a moment; what is too long is no wait."""
    started = time.thread_time()
    assert asked(headers) is None
    assert time.thread_time() - started < 0.5


def test_headers_without_end():
    """A mapping that never ends is not read to its end."""
    assert asked(SimpleNamespace(items=endless)) == 1.0


@given(st.text() | st.binary())
@example("Sun, 06 Nov 1994 08:49:37 GMT")
@example("9999999999999999")
def test_any_text(text: str | bytes):
    """Whatever a header says, the answer is None or a wait that can be slept."""
    for name in ("Retry-After", "retry-after-ms", "x-amz-retry-after"):
        wait = asked({name: text})
        assert wait is None or (0 <= wait < math.inf)
    assert asked({"grpc-retry-pushback-ms": text}) >= 0
    assert asked({"Retry-After": "Sun Nov  6 08:49:37 1994", "Date": text, "Age": text}) >= 0


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
