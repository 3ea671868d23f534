"""A protected function as an object: its attributes, copies, references and life."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import weakref

import pytest

from tests.calls.looks.looked_at import Service, coroutine, plain


def test_setting_attributes(patient):
    """Attributes can be set, replaced and deleted, and stay with the wrapper."""

    def function():
        """Documented."""

    protected = patient(function)
    protected.__name__ = "renamed"
    protected.__doc__ = "Changed."
    protected.own = 1
    assert (protected.__name__, protected.__doc__, protected.own) == ("renamed", "Changed.", 1)
    assert (function.__name__, function.__doc__) == ("function", "Documented.")
    assert not hasattr(function, "own")
    assert protected.__dict__["own"] == 1
    del protected.own
    assert not hasattr(protected, "own")
    protected.__signature__ = inspect.Signature()
    assert str(inspect.signature(protected)) == "()"
    with pytest.raises(AttributeError):
        protected.__policies__ = ()


def test_setting_defaults_and_code(patient, kind):
    """What decides how the function runs is set on the function, and read from it."""
    function = kind.function(lambda *args, **kwargs: (args, kwargs))

    def template(first=1, *, second=2):
        return first, second

    function = patient(function)
    inside = function.__wrapped__
    if kind.name == "sync":
        function.__code__ = template.__code__.replace(co_freevars=("body",))
        assert inside.__code__ is function.__code__
        function.__defaults__ = (3,)
        function.__kwdefaults__ = {"second": 4}
        assert function() == (3, 4)
    else:
        function.__defaults__ = (3,)
        function.__kwdefaults__ = {"second": 4}
    assert inside.__defaults__ == function.__defaults__ == (3,)
    assert inside.__kwdefaults__ is function.__kwdefaults__
    assert not {"__defaults__", "__kwdefaults__", "__code__"} & set(vars(function))
    del function.__defaults__
    assert inside.__defaults__ is function.__defaults__ is None
    with pytest.raises(TypeError):
        function.__defaults__ = 7


@pytest.mark.parametrize("other", ["coroutine", "generator"])
def test_code_of_another_kind_is_refused(patient, other):
    """A function's code can't be replaced by code of another kind: its driver would not fit."""

    async def later():
        return 1

    def items():
        yield 1

    @patient
    def function():
        return 7

    code = {"coroutine": later, "generator": items}[other].__code__
    with pytest.raises(TypeError, match="another kind"):
        function.__code__ = code
    assert function() == 7
    asynchronous = patient(later)
    with pytest.raises(TypeError, match="another kind"):
        asynchronous.__code__ = function.__code__


def test_setting_defaults_around_a_partial(patient):
    """Around what is no function they stay with the wrapper, as on a partial itself."""

    def function(value=1):
        return value

    protected = patient(functools.partial(function))
    protected.__defaults__ = (2,)
    assert protected.__defaults__ == (2,)
    assert function.__defaults__ == (1,)
    assert protected() == functools.partial(function)() == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_by_name(protocol):
    """A protected function is pickled by name and found again; so are bound methods."""
    for function in (plain, coroutine, Service.method, Service.static):
        assert pickle.loads(pickle.dumps(function, protocol)) is function
    service = pickle.loads(pickle.dumps(Service().method, protocol))
    assert service(3) == 3


def test_what_has_no_name_is_not_pickled(patient):
    """What pickle could not find again it refuses."""
    for function in (patient(lambda: 1), patient(functools.partial(int, 1))):
        with pytest.raises((pickle.PicklingError, AttributeError)):
            pickle.dumps(function)


def test_a_copy_is_itself():
    """Copying a function, shallow or deep, gives the function."""
    assert copy.copy(plain) is plain
    assert copy.deepcopy([plain])[0] is plain


def test_weak_references(patient):
    """A wrapper can be referred to weakly and is freed with its last reference."""
    protected = patient(lambda: 7)
    gone = []
    reference = weakref.ref(protected, gone.append)
    method = weakref.WeakMethod(Service().method)
    assert method() is None
    del protected
    assert reference() is None
    assert gone == [reference]


def test_hash_and_equality(patient):
    """It is equal to itself alone, and can be a key."""
    one, two = patient(len), patient(len)
    assert one == one
    assert one != two
    assert {one: 1, two: 2}[two] == 2


def test_singledispatch(patient):
    """A protected function can be dispatched on, and be what is dispatched to."""

    @functools.singledispatch
    @patient
    def show(value):
        return "any"

    @show.register
    @patient
    def _(value: int):
        return "int"

    class Shows:
        @functools.singledispatchmethod
        @patient
        def show(self, value):
            return "any"

        @show.register
        @patient
        def _(self, value: str):
            return "str"

    assert (show(1), show("")) == ("int", "any")
    assert (Shows().show(1), Shows().show("")) == ("any", "str")


def test_caches(patient, tally):
    """A cache over a protected function asks it once; one under it is asked each time."""
    over = functools.cache(patient(lambda value: value))
    assert (over(1), over(1)) == (1, 1)
    assert tally(patient) == {"success": 1}
    under = patient(functools.lru_cache(lambda value: value))
    assert (under(1), under(1)) == (1, 1)
    assert under.cache_info().hits == 1


def test_dataclasses_and_enums(patient):
    """In a dataclass or an enum it is a method, not a field or a member."""
    import dataclasses
    import enum

    @dataclasses.dataclass
    class Point:
        x: int

        @patient
        def double(self):
            return 2 * self.x

    class Colour(enum.Enum):
        RED = 1

        @patient
        def double(self):
            return 2 * self.value

    assert Point(2).double() == 4
    assert [*Colour] == [Colour.RED]
    assert Colour.RED.double() == 2


def test_an_object_with_an_async_call(patient):
    """An object whose `__call__` is async is a coroutine function once protected."""

    class Client:
        async def __call__(self, a):
            return a

    protected = patient(Client())
    assert inspect.iscoroutinefunction(protected)
    assert str(inspect.signature(protected)) == "(a)"
    assert asyncio.run(protected(1)) == 1


def test_it_is_collected_with_its_class(patient):
    """A class with protected methods is freed like any other."""

    class Local:
        @patient
        def method(self):
            return __class__

    reference = weakref.ref(Local)
    assert Local().method() is Local
    del Local
    gc.collect()
    assert reference() is None
