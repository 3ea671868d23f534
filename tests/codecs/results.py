"""What operations return in the tests: every kind of class, and plain values without end."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing as t
from zoneinfo import ZoneInfo

import attrs
import msgspec
import pydantic
from hypothesis import strategies as st

T = t.TypeVar("T")


class State(enum.Enum):
    """An enum."""

    PAID = "paid"
    OPEN = "open"


class Right(enum.Flag):
    """Flags, of which combinations have no name."""

    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Line:
    """A plain dataclass."""

    sku: str
    count: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """One that holds others and itself, and has a field that is not given."""

    id: str
    lines: list[Line]
    parent: Order | None = None
    number: int = dataclasses.field(default=7, init=False)

    def __post_init__(self) -> None:
        """Counts how often one was constructed."""
        constructed.append(self.id)


constructed: list[str] = []


@dataclasses.dataclass
class Page(t.Generic[T]):
    """A generic one."""

    items: list[T]


class Customer(pydantic.BaseModel):
    """A model of pydantic, with what models can have."""

    model_config = pydantic.ConfigDict(extra="allow", populate_by_name=True)
    name: str = pydantic.Field(alias="customerName", default="?")
    born: dt.date | None = None
    _seen: int = pydantic.PrivateAttr(default=3)


class Invoice(pydantic.BaseModel):
    """Another, that holds one, and a dataclass."""

    customer: Customer
    lines: list[Line]


class Struct(msgspec.Struct, frozen=True):
    """A struct of msgspec."""

    id: int
    lines: tuple[Line, ...] = ()


@attrs.define
class Parcel:
    """A class of attrs."""

    id: int
    state: State = State.OPEN
    tags: list[str] = attrs.Factory(list)


class Pair(t.NamedTuple):
    """A named tuple."""

    order: Order | None
    count: int = 1


class Answer(t.TypedDict):
    """A typed dict: plain, but what is in it is not."""

    order: Order
    extra: t.NotRequired[Parcel]


class UserId(str):
    """A text of a type of its own."""

    __slots__ = ()


BERLIN = ZoneInfo("Europe/Berlin")

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.binary().map(bytearray)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.datetimes(timezones=st.none() | st.just(dt.UTC) | st.just(BERLIN))
    | st.dates()
    | st.times(timezones=st.none() | st.just(dt.UTC))
    | st.timedeltas()
    | st.uuids()
    | st.ip_addresses()
    | st.sampled_from([*State, Right.READ | Right.WRITE]),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.integers() | st.text() | st.tuples(st.text(), st.dates()), inner)
        | st.frozensets(st.integers() | st.text() | st.uuids())
        | st.sets(st.tuples(st.integers(), st.text()))
    ),
    max_leaves=6,
)


def same(one: object, other: object) -> bool:
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        # Equal dicts may hold keys and values of other types, and in another order.
        return all(map(same, one.keys(), other.keys())) and all(
            map(same, one.values(), other.values())
        )
    return isinstance(one, int | set | frozenset) or repr(one) == repr(other)
