"""Results that an operator gives as plain data become what the operation says it returns."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
import uuid
from decimal import Decimal

import pytest
import seawall
from seawall.codecs import AsAnnotated, Results

from tests.codecs import results as of
from tests.codecs.results import Answer, Line, Order, Pair, State


@dataclasses.dataclass
class Receipt:
    """What is written in JSON as texts and lists."""

    id: uuid.UUID
    amount: Decimal
    at: dt.datetime
    state: State
    lines: tuple[Line, ...] = ()
    rate: float = 0.0
    left: dict[str, list[Line]] | None = None


PLAIN = {
    "id": "00000000-0000-0000-0000-000000000007",
    "amount": "12.50",
    "at": "2026-03-01T12:00:00+00:00",
    "state": "paid",
    "lines": [{"sku": "a"}, {"sku": "b", "count": 2}],
    "left": {"x": [{"sku": "c"}]},
    "rate": 1,
}
RECEIPT = Receipt(
    uuid.UUID(int=7),
    Decimal("12.50"),
    dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
    State.PAID,
    (Line("a"), Line("b", 2)),
    1.0,
    {"x": [Line("c")]},
)


def through(value, expected, codec):
    """As an operator's program writes it, and the operation's reads it."""
    written = Results(codec).encode(AsAnnotated(value))
    return Results(codec, expected=expected).decode(*written)


@pytest.mark.parametrize("codec", ["messagepack", "json"])
@pytest.mark.parametrize(
    ("plain", "hint", "value"),
    [
        (PLAIN, Receipt, RECEIPT),
        (PLAIN, t.Optional[Receipt], RECEIPT),  # noqa: UP045  as many write it
        (None, Receipt | None, None),
        ([PLAIN], list[Receipt], [RECEIPT]),
        ({"a": PLAIN}, dict[str, Receipt], {"a": RECEIPT}),
        ([1, "b"], tuple[int, str], (1, "b")),
        ([1, 1], set[int], {1}),
        ("5", int | str, "5"),
        ("5.0", int | Decimal, Decimal("5.0")),
        ({"sku": "a"}, int | Order | Line, Line("a")),
        ("PAID", State, State.PAID),
        ("paid", t.Literal[State.PAID], State.PAID),
        ("x", t.Annotated[str, print], "x"),
        ("2026-03-01", dt.date, dt.date(2026, 3, 1)),
        (1.5, dt.timedelta, dt.timedelta(seconds=1.5)),
        ({"order": {"id": "a", "lines": [], "number": 9}}, Answer, None),
        ({"order": None}, Pair, Pair(None)),
        ({"name": "Ann", "born": "2000-01-01"}, of.Customer, None),
        ({"id": 1, "lines": [{"sku": "a"}]}, of.Struct, of.Struct(1, (Line("a"),))),
        ({"id": 1, "state": "paid"}, of.Parcel, of.Parcel(1, State.PAID)),
        ({"any": [1]}, None, {"any": [1]}),
        ({"any": [1]}, t.Any, {"any": [1]}),
        ({"any": [1]}, dict, {"any": [1]}),
    ],
)
def test_plain_data_becomes_what_is_annotated(codec, plain, hint, value):
    """Texts become dates, decimals and enums; dicts become objects, all the way down."""
    read = through(plain, hint, codec)
    if hint is Answer:
        assert isinstance(read["order"], Order)
        assert read["order"].number == 9
    elif hint is of.Customer:
        assert read == of.Customer(name="Ann", born=dt.date(2000, 1, 1))
    else:
        assert read == value
        assert type(read) is type(value)


@pytest.mark.parametrize(
    ("plain", "hint", "said"),
    [
        ("x", Receipt, "it was given as a str, where tests.codecs.test_annotated.Receipt belongs"),
        (PLAIN | {"amount": "much"}, Receipt, r"it\.amount was given as a str, where decimal"),
        (PLAIN | {"lines": [{"sku": "a"}, 5]}, Receipt, r"it\.lines\[1\] was given as a int"),
        (PLAIN | {"state": "lost"}, Receipt, r"it\.state .* tests\.codecs\.results\.State belongs"),
        ({"id": 1}, Line, "with the fields id, but tests.codecs.results.Line now has count, sku"),
        ([1], tuple[int, int], "where tuple of 2 belongs"),
        (5, str | Line, r"where builtins\.str \| tests\.codecs\.results\.Line belongs"),
        ("x", t.Literal["y"], "belongs"),
        ({"born": "never"}, of.Customer, "Customer belongs"),
    ],
)
def test_what_does_not_fit_is_said(plain, hint, said):
    """Where it is, what it was given as and what belongs there; never what it is."""
    with pytest.raises(seawall.DecodeError, match=said):
        through(plain, hint, "messagepack")


def test_what_an_operation_itself_returned_is_left_as_it_was():
    """Its callers get what the first of them got, even where that is not what is annotated."""
    results = Results(expected=Line)
    assert results.decode(*results.encode({"sku": "a"})) == {"sku": "a"}
