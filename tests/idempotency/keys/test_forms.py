"""Which values are one, and which are told apart."""

import datetime as dt
import itertools
import math
import pathlib
import uuid
from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seawall.idempotency.keys import fingerprint

from tests.idempotency.keys import shapes

BERLIN = ZoneInfo("Europe/Berlin")
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

# Each differs from each other one, however alike some look.
DIFFERENT = [
    None, True, False, 0, 1, -1, 255, 256, 2**63, 2**64, -(2**63), 10**40, 0.0, 1.0, -1.0,
    math.inf, -math.inf, math.nan, 1 + 0j, 0j, "", "1", "1.0", "True", "None", "a", "ab", "\ud800",
    "\x00", b"", b"1", b"a", bytearray(b"a"), memoryview(b"a"), [], [1], [[1]], [1, 2], [2, 1],
    ["a", "b"], ["ab"], (), (1,), ((1,),), (1, 2), {}, {1: 2}, {"1": 2}, {1: "2"}, {1: {}}, {1: []},
    [{}], [[], []], [[[]]], set(), {1}, {"1"}, {1, 2}, frozenset(), frozenset({1}),
    Decimal(0), Decimal(1), Decimal("1.5"), Decimal("NaN"), Decimal("Infinity"), Decimal(-1),
    Decimal("1E+30"), Decimal("-Infinity"), Fraction(1), Fraction(3, 2),
    uuid.UUID(int=1), str(uuid.UUID(int=1)),
    NOON.replace(tzinfo=None), NOON, NOON.isoformat(), dt.date(2026, 3, 1), dt.time(12),
    dt.time(12, tzinfo=dt.UTC), dt.timedelta(1), dt.timedelta(seconds=1),
    dt.timedelta(microseconds=1), BERLIN,
    shapes.Colour.RED, shapes.Colour.BLUE, shapes.Method.CARD, "card", shapes.Level.ONE,
    shapes.Right.READ, shapes.Right.READ | shapes.Right.WRITE,
    *shapes.ALIKE, ("a", 1), {"sku": "a", "count": 1}, shapes.Line("b"),
    shapes.Model(sku="a", other=1), shapes.UserId("a"), shapes.Money(1), OrderedDict({1: 2}),
    pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a"), ip_address("::1"),
]  # fmt: skip


def test_no_two_of_many_kinds_share_a_form():
    """Types and contents that look alike (1, "1", 1.0, True, Decimal; list, tuple) are apart."""
    digests = [fingerprint(value) for value in DIFFERENT]
    clashes = [
        (one, other)
        for (one, first), (other, second) in itertools.combinations(
            zip(DIFFERENT, digests, strict=True), 2
        )
        if first == second
    ]
    assert clashes == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0),
        (math.nan, -math.nan),
        (Decimal("1.0"), Decimal("1.00")),
        (Decimal("0.0"), Decimal("-0E+7")),
        (Decimal("1E+2"), Decimal(100)),
        (Decimal("NaN"), Decimal("sNaN123")),
        ({1: 2, "a": 3}, {"a": 3, 1: 2}),
        ({"c", "a", "b"}, {"b", "c", "a"}),
        (NOON, NOON.astimezone(BERLIN)),
        (NOON, NOON.astimezone(dt.timezone(dt.timedelta(hours=-7)))),
        (dt.time(12, tzinfo=dt.UTC), dt.time(13, tzinfo=dt.timezone(dt.timedelta(hours=1)))),
        (NOON.replace(tzinfo=None), NOON.replace(tzinfo=None, fold=1)),
        (shapes.Line("a", seen_at=1.0), shapes.Line("a", seen_at=2.0)),
        (shapes.Parcel("a", note="x"), shapes.Parcel("a", note="y")),
        (pathlib.Path("a/b"), pathlib.PurePath("a/b")),
    ],
)
def test_equal_values_of_one_type_are_one(one, other):
    """What Python calls equal within a type is one key, and so is what is no number."""
    assert fingerprint(one) == fingerprint(other)


def test_the_two_hours_of_a_changing_clock_are_apart():
    """02:30 before and after clocks go back are an hour apart, where the zone is known."""
    early = dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    assert fingerprint(early) != fingerprint(early.replace(fold=1))


def test_the_user_is_not_asked_to_compare_or_hash():
    """Neither `__eq__` nor `__hash__` of what is in a key is called."""
    fingerprint([shapes.Unruly(), {1: shapes.Unruly()}, (shapes.Unruly(),)])


def test_attributes_of_what_is_derived_count():
    """Two amounts of different currencies are two, though their numbers are one."""
    amount = shapes.Money(5)
    assert fingerprint(amount) == fingerprint(shapes.Money(5))
    assert fingerprint(amount) != fingerprint(amount.in_("USD"))


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes()
    | st.timedeltas()
    | st.uuids(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.integers() | st.text() | st.tuples(st.integers(), st.text()), inner)
    ),
    max_leaves=6,
)


def same(one, other):
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            any(same(key, there) for there in other) and same(one[key], other[key]) for key in one
        )
    return one == other


@given(PLAIN, PLAIN)
def test_digests_are_equal_exactly_if_values_are(one, other):
    """Two values share a digest if and only if they are equal, types included."""
    assert (fingerprint(one) == fingerprint(other)) == same(one, other)


@given(st.dictionaries(st.text() | st.integers(), PLAIN, max_size=5), st.randoms())
def test_the_order_of_a_dict_does_not_count(entries, chance):
    """However a dict was filled, its digest is the same."""
    shuffled = list(entries.items())
    chance.shuffle(shuffled)
    assert fingerprint(dict(shuffled)) == fingerprint(entries)
