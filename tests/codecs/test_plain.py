"""Plain data comes back as what it was, without annotations."""

import collections
import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given
from seawall.codecs import Results

from tests.codecs.results import BERLIN, PLAIN, same

CODECS = ["messagepack", "json"]


def through(codec, value, **settings):
    """`value`, written and read again."""
    results = Results(codec, **settings)
    return results.decode(*results.encode(value))


@pytest.mark.parametrize("codec", CODECS)
@given(value=PLAIN)
def test_plain_values_come_back(codec, value):
    """Types, orders of dicts, sizes of ints and zones of datetimes included."""
    assert same(through(codec, value), value)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "value",
    [
        2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**5000, -(10**5000),
        math.inf, -math.inf, -0.0, "\ud800", "", b"", [], (), {}, set(), frozenset(), {(): ()},
        {"$": "int", "v": "ff"}, {"$": {"$": 1}}, [{"$": None}], {1: 2, "1": 3}, {None: 1},
        {frozenset({1}): {2}}, [[]] * 20, list(range(70_000)), "x" * 70_000, b"x" * 70_000,
        Decimal("1.50"), Decimal("-0E+3"), Decimal("Infinity"), dt.timedelta.min,
        dt.datetime.max.replace(tzinfo=dt.UTC),
        dt.time(2, 30, fold=1), dt.time(12, tzinfo=BERLIN), range(3, 9, 2), BERLIN,
        dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
        dt.datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN),  # clocks were never there
        collections.OrderedDict(b=1, a=[2]), collections.Counter("aab"),
        collections.deque([1, 2], 5), collections.defaultdict(list, a=[1]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_corners_come_back(codec, value):
    """What lies at the ends of ranges, and what looks like the codec's own marks."""
    assert same(through(codec, value), value)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("value", [math.nan, Decimal("sNaN"), complex(math.nan, 1)])
def test_what_is_no_number_comes_back_as_that(codec, value):
    """It equals nothing, not even itself."""
    read = through(codec, value)
    assert type(read) is type(value)
    assert repr(read) == repr(value)


@pytest.mark.parametrize("codec", CODECS)
def test_a_zone_of_another_library_becomes_its_offset(codec):
    """The instant stays."""

    class Odd(dt.tzinfo):
        def utcoffset(self, _when):
            return dt.timedelta(hours=3)

        def dst(self, _when):
            return None

        def tzname(self, _when):
            return "odd"

    at = dt.datetime(2026, 3, 1, tzinfo=Odd())
    read = through(codec, at)
    assert read == at
    assert read.tzinfo == dt.timezone(dt.timedelta(hours=3))


@pytest.mark.parametrize("codec", CODECS)
def test_each_reading_makes_new_objects(codec):
    """What one caller does to its result, another does not see."""
    results = Results(codec)
    written = results.encode({"items": [1]})
    first, second = results.decode(*written), results.decode(*written)
    assert first == second
    assert first is not second
    assert first["items"] is not second["items"]
