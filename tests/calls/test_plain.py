"""Plain functions of every sort: the protected one behaves as the bare one does."""

import functools
import operator
import sys

import pytest


def everything(a, b=2, /, c=3, *rest, d, e=5, **others):
    """Takes arguments in every way there is."""
    return a, b, c, rest, d, e, others


CALLS = [
    ((1,), {"d": 4}),
    ((1, 2), {"d": 4, "e": 6}),
    ((1, 2, 3, 4, 5), {"d": 4, "z": 0}),
    ((1,), {"c": 7, "d": 4, "a": "other", "b": "other"}),
    (tuple(range(300)), {"d": 4, **{f"k{at}": at for at in range(300)}}),
]


@pytest.mark.parametrize(("args", "kwargs"), CALLS)
def test_arguments_arrive_unchanged(patient, kind, args, kwargs):
    """Positional, keyword, default, variadic, few and many: they arrive as they were given."""
    protected = patient(kind.function(everything))
    assert kind.finish(protected(*args, **kwargs)) == everything(*args, **kwargs)


def test_no_arguments(patient, kind):
    """A function without arguments is called without any."""
    assert kind.finish(patient(kind.function(lambda: 7))()) == 7


def test_wrong_arguments_are_the_functions_own_error(patient):
    """A call that does not fit raises what the bare call raises, word for word."""

    def function(a, *, b):
        return a, b

    def error(call):
        with pytest.raises(TypeError) as raised:
            call()
        return str(raised.value)

    protected = patient(function)
    for call in (
        lambda f: f(),
        lambda f: f(1, 2, b=3),
        lambda f: f(1, c=3),
        lambda f: f(1, a=1, b=1),
    ):
        assert error(lambda call=call: call(protected)) == error(lambda call=call: call(function))


def test_defaults_are_read_at_each_call(patient):
    """Defaults changed after decorating are in force at the next call."""

    def function(value=1):
        return value

    protected = patient(function)
    function.__defaults__ = (2,)
    assert protected() == 2


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "result"),
    [
        (len, ([1, 2],), {}, 2),
        (max, (1, 3, 2), {"key": operator.neg}, 1),
        (sorted, ([2, 1],), {"reverse": True}, [2, 1]),
        ("a b".split, (), {}, ["a", "b"]),
        (str.upper, ("a",), {}, "A"),
        ([1].count, (1,), {}, 1),
        (operator.itemgetter(1), ("ab",), {}, "b"),
        (operator.methodcaller("upper"), ("a",), {}, "A"),
        (functools.partial(everything, 1, d=4), (2,), {"e": 9}, (1, 2, 3, (), 4, 9, {})),
        (functools.partial(functools.partial(pow, 2), 3), (5,), {}, 3),
        (functools.lru_cache(lambda x: x + 1), (1,), {}, 2),
        (lambda *a, **k: (a, k), (1,), {"b": 2}, ((1,), {"b": 2})),
        ({"a": 1}.get, ("a",), {}, 1),
        ("x".__add__, ("y",), {}, "xy"),
    ],
)
def test_every_callable(patient, tally, function, args, kwargs, result):
    """Builtins, methods of builtins, partials, caches, operators, lambdas: each is protected."""
    assert patient(function)(*args, **kwargs) == result
    assert patient.call(function, *args, **kwargs) == result
    assert patient.try_call(function, *args, **kwargs).value == result
    assert tally(patient) == {"success": 3}


def test_an_object_that_can_be_called(patient, tally):
    """An instance with `__call__` is called; its attributes are seen live through the wrapper."""

    class Client:
        calls = 0

        def __init__(self):
            self.seen = 0

        def __call__(self, x, *, y=1):
            self.seen += 1
            return x + y

    client = Client()
    protected = patient(client)
    assert protected(1, y=2) == 3
    assert tally(patient) == {"success": 1}
    assert protected.calls == 0
    assert protected.seen == client.seen == 1


def test_a_replaced_dunder_call_is_used(patient):
    """A class whose `__call__` is replaced after decorating is called by the new one."""

    class Client:
        def __call__(self):
            return "old"

    protected = patient(Client())
    assert protected() == "old"
    Client.__call__ = lambda _: "new"
    assert protected() == "new"


def methods(policy, kind, order):
    """A class with one method of each sort, the policy above or below."""

    def body(who):
        return who

    unbound = kind.function(lambda: "static")

    class Service:
        method = policy(kind.function(body))
        if order == "above":
            of_class = policy(classmethod(kind.function(body)))
            static = policy(staticmethod(unbound))
        else:
            of_class = classmethod(policy(kind.function(body)))
            static = staticmethod(policy(unbound))

    return Service


@pytest.mark.parametrize("order", ["above", "below"])
def test_methods(patient, tally, kind, order):
    """Methods, classmethods and staticmethods bind as ever, with the policy above or below."""
    service = methods(patient, kind, order)
    it = service()

    class Heir(service):
        pass

    heir = Heir()
    assert kind.finish(it.method()) is it
    assert kind.finish(service.method(it)) is it
    assert kind.finish(heir.method()) is heir
    assert kind.finish(service.of_class()) is kind.finish(it.of_class()) is service
    assert kind.finish(heir.of_class()) is kind.finish(Heir.of_class()) is Heir
    assert kind.finish(service.static()) == kind.finish(heir.static()) == "static"
    assert tally(patient) == {"success": 9}


def test_super_reaches_the_protected_method(patient, tally, kind):
    """`super()` inside and around protected methods works, each level counted by itself."""

    class Above:
        @patient
        def name(self):
            return "above"

        @patient
        @classmethod
        def of(cls):
            return cls.__name__

    class Below(Above):
        @patient
        def name(self):
            return super().name() + ", below"

        @classmethod
        def of(cls):
            return super().of()

    assert Below().name() == "above, below"
    assert Below.of() == "Below"
    assert tally(patient) == {"success": 3}


def test_binding(patient):
    """A bound method is a method: `__self__`, `__func__`, equality and hash."""

    class Service:
        @patient
        def method(self):
            return self

    it = Service()
    bound = it.method
    assert bound.__self__ is it
    assert bound.__func__ is Service.method
    assert bound == it.method
    assert hash(bound) == hash(it.method)
    assert bound != Service().method
    assert Service.__dict__["method"].__get__(None, Service) is Service.method


def test_put_on_an_instance_it_does_not_bind(patient):
    """As an attribute of an instance it is a plain callable, as a function is."""

    class Service:
        pass

    it = Service()
    it.call = patient(lambda *args: args)
    assert it.call(1) == (1,)


def test_around_a_bound_method(patient):
    """Decorating a bound method keeps it bound."""

    class Service:
        def method(self, x):
            return self, x

    it = Service()
    assert patient(it.method)(1) == (it, 1)


def test_partialmethod_and_abstractmethod(patient):
    """It can stand under `functools.partialmethod` and around `abc.abstractmethod`."""
    import abc

    class Service:
        @patient
        def add(self, x, y):
            return self, x + y

        add_two = functools.partialmethod(add, 2)

    it = Service()
    assert it.add_two(3) == (it, 5)

    class Abstract(abc.ABC):
        @patient
        @abc.abstractmethod
        def method(self): ...

    with pytest.raises(TypeError, match="abstract"):
        Abstract()


def test_under_a_property(patient, tally):
    """A property over a protected getter is protected."""

    class Service:
        @property
        @patient
        def value(self):
            return 7

    assert Service().value == 7
    assert tally(patient) == {"success": 1}


def test_slots_and_metaclasses(patient):
    """Methods of classes with slots, and of metaclasses, are protected as others are."""

    class Meta(type):
        @patient
        def make(cls):
            return cls()

    class Slotted(metaclass=Meta):
        __slots__ = ()

        @patient
        def me(self):
            return self

    assert isinstance(Slotted.make().me(), Slotted)


def test_results_are_handed_on_by_identity(patient, kind):
    """What a function returns is what its caller gets: the very object."""
    for result in (None, object(), (), (1, 2), ValueError("as a value"), StopIteration(3), type):
        protected = patient(kind.function(lambda result=result: result))
        assert kind.finish(protected()) is result


def test_endless_recursion_is_a_recursion_error(patient):
    """A protected function that calls itself without end raises RecursionError, as a bare one."""

    @patient
    def function():
        return function()

    with pytest.raises(RecursionError):
        function()


def test_deep_recursion(patient):
    """Protected calls nest as deep as the interpreter's own limit allows."""

    @patient
    def down(depth):
        return 0 if depth == 0 else 1 + down(depth - 1)

    depth = sys.getrecursionlimit() // 2 - 100
    assert down(depth) == depth


def test_a_long_argument_list_by_unpacking(patient):
    """Unpacked arguments travel the other calling convention (tuple and dict) just as well."""
    args, kwargs = tuple(range(1000)), {f"k{at}": at for at in range(100)}
    assert patient(lambda *a, **k: (a, k))(*args, **kwargs) == (args, kwargs)
    assert patient.call(lambda *a, **k: (a, k), *args, **kwargs) == (args, kwargs)
