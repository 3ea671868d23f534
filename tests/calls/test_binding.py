"""What does not bind undecorated does not bind decorated; what binds goes on binding as it did."""

import functools

import pytest
import seawall


class Callable:
    """An object that can be called and has no `__get__`."""

    def __call__(self, *args):
        """Gives back what it got."""
        return args


class Binds(Callable):
    """One that binds in a way of its own: to the class as well."""

    def __get__(self, instance, owner=None):
        """Itself on the class; on an instance, a partial with both."""
        return self if instance is None else functools.partial(self, instance, owner)


class Constant(Callable):
    """One that is a value, not a method, on its instances."""

    def __get__(self, instance, owner=None):
        """A number."""
        return self if instance is None else 7


class Text(str):
    """A string that a string's own method descriptors can bind to; a cache tells two apart."""

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__


def echo(*args):
    """Gives back what it got."""
    return args


TARGETS = {
    "function": echo,
    "lambda": lambda *args: args,
    "builtin": "{} {}".format,
    "type-checked builtin": len,
    "partial": functools.partial(echo, 0),
    "cached": functools.lru_cache(echo),
    "callable object": Callable(),
    "object with __get__": Binds(),
    "object whose __get__ gives a value": Constant(),
    "bound method": Callable().__call__,
    "bound method of a class": classmethod(echo).__get__(None, Callable),
    "method descriptor": str.upper,
    "slot wrapper": str.__len__,
    "partialmethod, bound": functools.partialmethod(echo, 1).__get__(Callable(), Callable),
}


def outcome(owner):
    """What calling its attribute gives: the value, or the type of the error."""
    try:
        return owner.attribute()
    except Exception as error:
        return type(error)


@pytest.mark.filterwarnings("ignore:functools.partial will be:FutureWarning")
@pytest.mark.parametrize("target", TARGETS)
def test_binds_as_undecorated(target, patient):
    """Called on an instance and on the class, it gets the arguments that it gets undecorated."""
    bare = TARGETS[target]

    class Undecorated(Text):
        attribute = bare

    class Decorated(Text):
        attribute = patient(bare)

    class Static(Text):
        attribute = patient(staticmethod(bare))

    class OfClass(Text):
        attribute = patient(classmethod(bare))

    class UndecoratedStatic(Text):
        attribute = staticmethod(bare)

    class UndecoratedOfClass(Text):
        attribute = classmethod(bare)

    pairs = (
        (Undecorated, Decorated),
        (UndecoratedStatic, Static),
        (UndecoratedOfClass, OfClass),
    )
    for undecorated, decorated in pairs:
        for make in (lambda cls: cls("ab"), lambda cls: cls):
            expected, got = outcome(make(undecorated)), outcome(make(decorated))
            assert shape(got, decorated) == shape(expected, undecorated)


def shape(value, cls):
    """A result with what stands for its own class and instance named."""
    if isinstance(value, tuple):
        return tuple(shape(item, cls) for item in value)
    if value is cls:
        return "the class"
    return "the instance" if isinstance(value, cls) else value


@pytest.mark.parametrize("target", ["object with __get__", "method descriptor", "slot wrapper"])
def test_bound_in_its_own_way_it_is_protected(target, patient, tally):
    """What a `__get__` of one's own gives back is called under the same policies."""

    class Decorated(Text):
        attribute = patient(TARGETS[target])

    Decorated("ab").attribute()
    assert tally(patient) == {"success": 1}
    patient.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        Decorated("ab").attribute()


def test_a_get_that_fails(patient):
    """An error of a `__get__` is the caller's."""

    class Fails(Callable):
        def __get__(self, instance, owner=None):
            raise OSError("ill")

    protected = patient(Fails())
    with pytest.raises(OSError, match="ill"):
        type("Decorated", (), {"attribute": protected})().attribute()


def test_a_get_that_gives_a_class(patient):
    """What can't be protected is refused when it is bound, as it is when decorated."""

    class Makes(Callable):
        def __get__(self, instance, owner=None):
            return dict

    protected = patient(Makes())
    with pytest.raises(seawall.ConfigError, match="is a class"):
        type("Decorated", (), {"attribute": protected})().attribute()


@pytest.mark.parametrize("written", ["bare", "above", "below"])
def test_init_subclass(patient, tally, written):
    """`__init_subclass__` stays a class method, said so or not."""
    decorate = {
        "bare": patient,
        "above": lambda function: patient(classmethod(function)),
        "below": lambda function: classmethod(patient(function)),
    }[written]
    made = []

    class Parent:
        @decorate
        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__()
            made.append((cls, kwargs))

    class Child(Parent, key=1):
        pass

    class Grandchild(Child):
        @decorate
        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)

    class Last(Grandchild, key=2):
        pass

    assert made == [(Child, {"key": 1}), (Grandchild, {}), (Last, {"key": 2})]
    assert tally(patient) == {"success": 4}


@pytest.mark.parametrize("written", ["bare", "above", "below"])
def test_class_getitem(patient, tally, written):
    """`__class_getitem__` stays a class method, said so or not."""
    decorate = {
        "bare": patient,
        "above": lambda function: patient(classmethod(function)),
        "below": lambda function: classmethod(patient(function)),
    }[written]

    class Generic:
        @decorate
        def __class_getitem__(cls, item):
            return cls, item

    class Child(Generic):
        pass

    assert Generic[int] == (Generic, int)
    assert Child[str] == (Child, str)
    assert Child().__class_getitem__(1) == (Child, 1)
    assert tally(patient) == {"success": 3}


@pytest.mark.parametrize("written", ["bare", "above", "below"])
def test_new(patient, tally, written):
    """`__new__` stays a static method, said so or not."""
    decorate = {
        "bare": patient,
        "above": lambda function: patient(staticmethod(function)),
        "below": lambda function: staticmethod(patient(function)),
    }[written]

    class Parent:
        @decorate
        def __new__(cls, value):
            self = super().__new__(cls)
            self.value = value
            return self

    class Child(Parent):
        def __new__(cls, value):
            return super().__new__(cls, value + 1)

    assert Parent(1).value == 1
    assert Child(1).value == 2
    assert Parent(1).__new__(Parent, 3).value == 3
    assert tally(patient) == {"success": 4}


def test_stacked_on_an_implicit_class_method(patient):
    """Two policies on one are as good as one."""

    class Parent:
        made = ()

        @seawall.circuit_breaker
        @patient
        def __init_subclass__(cls):
            Parent.made += (cls,)

    class Child(Parent):
        pass

    assert Parent.made == (Child,)
