"""Objects come back as what the return annotation names."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import subprocess
import sys
import textwrap
import typing as t

import attrs
import msgspec
import pydantic
import pytest
import seawall
from seawall.codecs import JSON, Codec, MessagePack, Results

from tests.codecs import results as of
from tests.codecs.results import Answer, Line, Order, Page, Pair, State

if t.TYPE_CHECKING:
    from elsewhere import Unknown

CODECS = ["messagepack", "json"]
ORDER = Order("a", [Line("x", 2)], Order("b", []))


def _optional() -> t.Optional[Order]: ...  # noqa: UP045  as many write it
def _union() -> int | Order | Line: ...
def _listed() -> list[Order]: ...
def _mapped() -> dict[str, tuple[Order, ...]]: ...
def _annotated() -> t.Annotated[Order, "paid", print]: ...
def _literal() -> t.Literal[State.PAID]: ...
def _generic() -> Page[Order]: ...
def _typed() -> Answer: ...
def _quoted() -> list["Order"]: ...  # noqa: UP037  as many write it
async def _later() -> Order: ...
def _iterated() -> t.Iterator[Order]: ...
def _paired() -> Pair: ...
def _modelled() -> of.Invoice: ...
def _structured() -> of.Struct: ...
def _packed() -> of.Parcel: ...
def _named() -> of.UserId: ...
def _right() -> of.Right: ...


LINES = [Line("x"), Line("y", 3)]
CASES = [
    (_optional, None), (_optional, ORDER), (_union, 1), (_union, Line("a")), (_union, ORDER),
    (_listed, [ORDER, ORDER]), (_mapped, {"a": (ORDER,)}), (_annotated, ORDER),
    (_literal, State.PAID), (_generic, Page([ORDER])), (_typed, {"order": ORDER}),
    (_typed, {"order": ORDER, "extra": of.Parcel(1)}), (_quoted, [ORDER]), (_later, ORDER),
    (_iterated, [ORDER]), (_paired, Pair(ORDER)), (_paired, Pair(None, 2)),
    (_modelled, of.Invoice(customer=of.Customer(customerName="Ann", town="Ulm"), lines=LINES)),
    (_modelled, of.Invoice(customer=of.Customer(), lines=[])),
    (_structured, of.Struct(1, (Line("x"),))), (_packed, of.Parcel(1, State.PAID, ["a"])),
    (_named, of.UserId("u")), (_right, of.Right.READ | of.Right.WRITE), (_right, of.Right.READ),
]  # fmt: skip


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("function", "value"), CASES)
def test_objects_come_back(codec, function, value):
    """Whatever way the annotation leads to their class, and whatever kind of class that is."""
    results = Results(codec, function=function)
    read = results.decode(*results.encode(value))
    assert type(read) is type(value)
    assert read == value
    assert repr(read) == repr(value)


@pytest.mark.parametrize("codec", CODECS)
def test_an_object_is_restored_and_not_constructed(codec):
    """No `__post_init__` runs a second time; a field that is not given keeps what it was."""
    results = Results(codec, function=_optional)
    order = Order("c", [])
    object.__setattr__(order, "number", 99)
    written = results.encode(order)
    of.constructed.clear()
    read = results.decode(*written)
    assert isinstance(read, Order)
    assert read.number == 99
    assert of.constructed == []


@pytest.mark.parametrize("codec", CODECS)
def test_a_model_is_what_it_was(codec):
    """Which fields were set, extra ones and private ones: pydantic sees no difference."""
    results = Results(codec, expected=of.Customer)
    customer = of.Customer(customerName="Ann", town="Ulm")
    read = t.cast("t.Any", results.decode(*results.encode(customer)))
    assert read.model_fields_set == customer.model_fields_set
    assert read.model_dump(exclude_unset=True) == {"name": "Ann", "town": "Ulm"}
    assert read._seen == 3


@pytest.mark.parametrize("codec", [MessagePack([Order]), JSON([Order])])
def test_classes_can_be_named_in_the_codec(codec):
    """For functions without annotation, and for blocks."""
    results = Results(codec)
    assert results.decode(*results.encode([ORDER])) == [ORDER]


@pytest.mark.parametrize("codec", CODECS)
def test_local_classes_are_found(codec):
    """Texts mean what they mean where the function is defined."""

    @dataclasses.dataclass
    class Local:
        inner: Local | None = None

    def make() -> list[Local]:
        return [Local(Local())]

    results = Results(codec, function=make)
    assert results.decode(*results.encode(make())) == make()


def test_annotations_are_resolved_when_first_needed():
    """A class may be defined below the function that returns it."""
    scope: dict[str, t.Any] = {}
    exec("def make() -> 'Below': ...", scope)
    results = Results(function=scope["make"])
    exec(
        "import dataclasses\n@dataclasses.dataclass\nclass Below:\n    x: 'Below | None' = None",
        scope,
    )
    below = scope["Below"](scope["Below"]())
    assert results.decode(*results.encode(below)) == below


@pytest.mark.parametrize("codec", CODECS)
def test_a_class_that_is_not_named_is_not_written(codec):
    """The error says which class, where it is, and what to do: nothing comes back as less."""
    with pytest.raises(seawall.EncodeError) as caught:
        Results(codec, function=_named).encode([{"a": Line("x")}])
    said = str(caught.value)
    assert "tests.codecs.results.Line" in said
    assert "_named names tests.codecs.results.UserId" in said
    assert "types=" in said


def test_a_name_that_only_checkers_know_is_said():
    """What is imported under TYPE_CHECKING means nothing when the program runs."""

    def make() -> Unknown: ...

    with pytest.raises(
        seawall.EncodeError, match=r"Unknown \(NameError\), which can't be resolved"
    ):
        Results(function=make).encode(Line("x"))


@pytest.mark.parametrize("codec", CODECS)
def test_a_changed_annotation_names_both(codec):
    """What is stored and what is expected now: the caller can see what happened."""
    written = Results(codec, function=_optional).encode(Order("a", []))
    with pytest.raises(seawall.DecodeError) as caught:
        Results(codec, function=_paired_with_nothing).decode(*written)
    assert "tests.codecs.results.Order" in str(caught.value)
    assert "_paired_with_nothing names tests.codecs.results.UserId" in str(caught.value)


def _paired_with_nothing() -> of.UserId: ...


def shop(*fields: t.Any) -> t.Any:
    """A class of one name, as different versions of a program have it."""
    made = dataclasses.make_dataclass("Receipt", fields)
    made.__module__ = "shop"
    return made


@pytest.mark.parametrize("codec", CODECS)
def test_fields_that_came_and_went(codec):
    """One with a default is filled in; others, either way, are an error that names both."""
    before, more = shop(("id", int)), shop(("id", int), ("note", str, "none"))
    written = Results(codec, expected=before).encode(before(1))
    assert Results(codec, expected=more).decode(*written) == more(1, "none")
    for other in (shop(("id", int), ("owner", str)), shop(("number", int))):
        with pytest.raises(seawall.DecodeError) as caught:
            Results(codec, expected=other).decode(*written)
        assert "with the fields id, but shop.Receipt now has" in str(caught.value)


DEFAULTS = [
    (
        pydantic.create_model("Receipt", id=int),
        pydantic.create_model("Receipt", id=int, n=(int, 5)),
    ),
    (
        msgspec.defstruct("Receipt", [("id", int)]),
        msgspec.defstruct("Receipt", [("id", int), ("n", int, 5)]),
    ),
    (
        attrs.make_class("Receipt", {"id": attrs.field()}),
        attrs.make_class("Receipt", {"id": attrs.field(), "n": attrs.field(default=5)}),
    ),
    (
        collections.namedtuple("Receipt", "id"),  # noqa: PYI024  two of one name
        collections.namedtuple("Receipt", "id n", defaults=[5]),  # noqa: PYI024  and this
    ),
]


@pytest.mark.parametrize(("before", "after"), DEFAULTS)
def test_new_fields_get_their_defaults(before, after):
    """Whatever kind of class it is."""
    before.__module__ = after.__module__ = "shop"
    read = Results(expected=after).decode(*Results(expected=before).encode(before(id=1)))
    assert read == after(id=1, n=5)


def test_a_class_that_moved_is_found_by_its_own_name():
    """From one module to another, between two releases."""
    here, there = shop(("id", int)), shop(("id", int))
    there.__module__ = "shop.models"
    written = Results(expected=here).encode(here(1))
    assert Results(expected=there).decode(*written) == there(1)


@pytest.mark.parametrize("codec", CODECS)
def test_no_library_is_imported(codec):
    """Nor is a class: what the data names is only looked up among those that are known."""
    program = f"""
        import sys
        import seawall.codecs
        results = seawall.codecs.Results({codec!r})
        results.decode(*results.encode([1, "a", (2,), {{3}}, None]))
        loaded = {{"pydantic", "msgspec", "attr", "attrs", "pickle", "numpy"}} & sys.modules.keys()
        print(sorted(loaded - {{"pickle"}}))
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_a_coroutine_is_not_written():
    """Somebody forgot to await it."""
    pending = asyncio.sleep(0)
    with pytest.raises(seawall.EncodeError, match="coroutine"):
        Results().encode(pending)
    pending.close()


def test_codecs_are_codecs():
    """Ours fit the protocol that a user's must fit."""
    assert isinstance(MessagePack(), Codec)
    assert isinstance(JSON(), Codec)


@pytest.mark.parametrize("codec", CODECS)
def test_what_a_property_raises_is_told_as_ours(codec):
    """A field that can't be read can't be written, and callers have one exception to know."""

    class Broken(Line):
        def __getattribute__(self, name):
            if name == "sku":
                raise LookupError("gone")
            return super().__getattribute__(name)

    with pytest.raises(seawall.EncodeError, match="LookupError"):
        Results(codec, expected=Broken).encode([Broken("a")])


@pytest.mark.parametrize("codec", CODECS)
def test_a_class_that_only_looks_like_a_librarys_is_none(codec):
    """Who takes a name does not take what goes with it."""
    forged = type("Decimal", (), {"__module__": "decimal"})
    with pytest.raises(seawall.EncodeError, match="neither plain data"):
        Results(codec).encode(forged())
