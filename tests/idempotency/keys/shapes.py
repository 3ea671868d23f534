"""Classes of every supported kind, of which keys are made in the tests."""

import dataclasses
import enum
from typing import NamedTuple

import attrs
import msgspec
import pydantic


class Colour(enum.Enum):
    """An enum."""

    RED = 1
    BLUE = 2


class Method(enum.StrEnum):
    """One whose members are texts."""

    CARD = "card"


class Level(enum.IntEnum):
    """One whose members are numbers."""

    ONE = 1


class Right(enum.Flag):
    """Flags."""

    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Line:
    """A dataclass, with a field that is not compared."""

    sku: str
    count: int = 1
    seen_at: float = dataclasses.field(default=0.0, compare=False)


@dataclasses.dataclass
class OtherLine:
    """Another with the same fields."""

    sku: str
    count: int = 1


@attrs.define
class Parcel:
    """A class of attrs, with a field that is not compared."""

    sku: str
    count: int = 1
    note: str = attrs.field(default="", eq=False)


class Struct(msgspec.Struct):
    """A struct of msgspec."""

    sku: str
    count: int = 1


class Model(pydantic.BaseModel):
    """A model of pydantic that takes more than it names."""

    model_config = pydantic.ConfigDict(extra="allow")
    sku: str
    count: int = 1


class Pair(NamedTuple):
    """A named tuple."""

    sku: str
    count: int = 1


class UserId(str):
    """A text of a type of its own."""

    __slots__ = ()


class Money(int):
    """A number with an attribute."""

    currency = "EUR"

    def in_(self, currency: str) -> "Money":
        """As many of another currency."""
        other = Money(self)
        other.currency = currency
        return other


class Loud:
    """Asks to be told whenever it is compared or hashed."""

    def __eq__(self, other):
        raise AssertionError("compared")

    def __hash__(self):
        raise AssertionError("hashed")


@dataclasses.dataclass(eq=False)
class Unruly(Loud):
    """A dataclass that would tell."""

    sku: str = "a"


#: Each of a type of its own, with the same content.
ALIKE = [Line("a"), OtherLine("a"), Parcel("a"), Struct("a"), Model(sku="a"), Pair("a")]
