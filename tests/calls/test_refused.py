"""What can't be protected is refused when it is decorated, and the message names it."""

import contextlib
import functools
import types

import pytest
import seawall


def generator():
    """A generator function."""
    yield 1


async def async_generator():
    """An async generator function."""
    yield 1


class Generates:
    """Its instances are generator functions of a sort."""

    def __call__(self):
        """Yields."""
        yield 1

    async def later(self):
        """Yields asynchronously."""
        yield 1

    def method(self):
        """Yields."""
        yield 1


class Partial(functools.partial):
    """A partial of one's own."""


GENERATORS = [
    generator,
    async_generator,
    functools.partial(generator),
    functools.partial(functools.partial(async_generator)),
    functools.partialmethod(generator).__get__(object(), object),
    Partial(generator),
    Generates(),
    Generates().method,
    Generates().later,
    functools.wraps(generator)(functools.partial(generator)),
]


class Managed:
    """Has context managers for methods."""

    @contextlib.contextmanager
    def manage(self):
        """A block."""
        yield 1

    @functools.lru_cache  # noqa: B019 -- what is to be refused
    def cached(self):
        """Yields."""
        yield 1


DISPATCHED = functools.singledispatch(lambda value: value)
DISPATCHED.register(int, generator)

# Not generator functions themselves, but nothing else than what one makes comes out.
HIDDEN = {
    "contextmanager": contextlib.contextmanager(generator),
    "asynccontextmanager": contextlib.asynccontextmanager(async_generator),
    "contextmanager of what returns a generator": contextlib.contextmanager(lambda: generator()),
    "partial": functools.partial(contextlib.contextmanager(generator)),
    "method": Managed().manage,
    "classmethod": classmethod(contextlib.contextmanager(generator)),
    "lru_cache": functools.lru_cache(generator),
    "cache": functools.cache(async_generator),
    "method that is cached": Managed().cached,
    "cached contextmanager": functools.cache(contextlib.contextmanager(generator)),
    "cached generating object": functools.cache(Generates()),
    "singledispatch": functools.singledispatch(generator),
    "one of singledispatch": DISPATCHED,
    "object": type("Calls", (), {"__call__": contextlib.contextmanager(generator)})(),
}

BELOW = "is not callable: put the policy below it, on the function that it calls"
OTHERS = [
    (type("Service", (), {}), "is a class"),
    (int, "is a class"),
    (type, "is a class"),
    (property(lambda self: 1), BELOW),
    (functools.cached_property(lambda self: 1), BELOW),
    (functools.partialmethod(print), BELOW),
    (functools.singledispatchmethod(print), BELOW),
    (None, "is not callable$"),
    (7, "is not callable$"),
    ("name", "is not callable$"),
    (generator(), "is not callable$"),
    (types.SimpleNamespace(), "is not callable$"),
    (staticmethod(int), "is a class"),
    (classmethod(None), "is not callable$"),
    (staticmethod(property(lambda self: 1)), BELOW),
]


@pytest.mark.parametrize("target", HIDDEN)
def test_generators_that_wrappers_hand_on(patient, tally, target):
    """Wrappers of the standard library that hand a generator on are refused as generators are."""
    target = HIDDEN[target]
    protects = [patient]
    if not isinstance(target, classmethod):
        protects += [lambda target: patient.call(target), lambda target: patient.try_call(target)]
    for protect in protects:
        with pytest.raises(seawall.ConfigError, match="a generator function") as refused:
            protect(target)
        assert repr(getattr(target, "__func__", target)) in str(refused.value) or repr(
            target
        ) in str(refused.value)
    assert tally(patient) == {}


def test_functions_that_consume_a_generator(patient, tally):
    """A function of one's own is what its own code says, whatever `__wrapped__` it shows."""

    @functools.wraps(generator)
    def total():
        return sum(generator())

    async def collected():
        return [item async for item in async_generator()]

    assert patient(total)() == 1
    assert patient(functools.cache(total))() == 1
    with pytest.raises(StopIteration):
        patient(functools.wraps(async_generator)(collected))().send(None)
    assert tally(patient) == {"success": 3}


def test_wrappers_that_hide_no_generator(patient):
    """Wrappers of the standard library that hide no generator are protected."""

    @functools.singledispatch
    def show(value):
        return value

    assert patient(show)(1) == 1
    assert patient(functools.cache(show))(1) == 1
    assert patient(functools.cache(len))("") == 0


@pytest.mark.parametrize(("target", "why"), OTHERS, ids=range(len(OTHERS)))
def test_others(patient, target, why):
    """Classes, descriptors that are no methods and things that can't be called are refused."""
    # The decorator takes a string, and None, for a name.
    named = isinstance(target, (str, type(None)))
    protect = patient if named else seawall.circuit_breaker
    with pytest.raises(seawall.ConfigError, match=why) as refused:
        protect(target)
    assert repr(getattr(target, "__func__", target)) in str(refused.value)
    [problem] = refused.value.problems
    assert problem.field == "function"


def test_a_pipeline_refuses_alike(patient):
    """A pipeline refuses what its policies refuse, an empty one too."""
    for pipeline in (seawall.Pipeline("one", patient), seawall.Pipeline("empty")):
        with pytest.raises(seawall.ConfigError, match="a generator function"):
            pipeline(contextlib.contextmanager(generator))
        with pytest.raises(seawall.ConfigError, match="is a class"):
            pipeline(dict)


@pytest.mark.parametrize("target", GENERATORS, ids=range(len(GENERATORS)))
def test_generators_have_no_outcome(patient, tally, target):
    """`try_call` of a generator function, however it is wrapped, says why it can't be."""
    with pytest.raises(seawall.ConfigError, match="has no single outcome") as refused:
        patient.try_call(target)
    assert repr(target) in str(refused.value)
    assert tally(patient) == {}


def test_once_may_make_an_object(patient, tally):
    """`call` of a class is one call like any other: nothing is replaced by it."""
    assert patient.call(dict, a=1) == {"a": 1}
    assert tally(patient) == {"success": 1}


def test_refused_names_nothing():
    """A policy that refused its first function is not named after it."""
    breaker = seawall.CircuitBreaker()
    before = breaker.name
    with pytest.raises(seawall.ConfigError):
        breaker(contextlib.contextmanager(generator))
    assert breaker.name == before
    breaker(test_refused_names_nothing)
    assert "test_refused_names_nothing" in breaker.name


def test_a_repr_that_fails_does_not_hide_the_refusal(patient):
    """A thing whose repr raises is refused all the same."""

    class Broken:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(seawall.ConfigError, match="is not callable"):
        patient(Broken())


def test_attributes_that_lie_do_not_confuse(patient):
    """Objects that answer any attribute with anything are plain callables."""

    class Proxy:
        def __getattr__(self, name):
            return Proxy()

        def __call__(self):
            return 7

    class Hostile:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __call__(self):
            return 8

    assert patient.call(Proxy()) == 7
    assert patient.call(Hostile()) == 8
    assert patient(Proxy())() == 7
