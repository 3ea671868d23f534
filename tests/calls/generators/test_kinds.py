"""What a generator looks like, and functions of all sorts that make one."""

import collections.abc
import contextlib
import functools
import inspect
import weakref

import pytest
import seawall

from tests.calls.given import TroubleError


def test_the_kind_is_kept(items):
    """`inspect` and `collections.abc` see a generator function, and a generator."""
    assert inspect.isgeneratorfunction(items)
    assert not inspect.isasyncgenfunction(items)
    assert not inspect.iscoroutinefunction(items)
    generator = items()
    assert isinstance(generator, collections.abc.Generator)
    assert iter(generator) is generator


def test_its_attributes(items):
    """Debuggers see the inner generator's frame, code, name and state."""
    generator = items()
    assert inspect.getgeneratorstate(generator) == inspect.GEN_CREATED
    next(generator)
    assert inspect.getgeneratorstate(generator) == inspect.GEN_SUSPENDED
    assert generator.gi_frame.f_locals["value"] == 1
    assert generator.gi_code is items.__code__
    assert generator.gi_yieldfrom is None
    assert generator.gi_suspended
    assert not generator.gi_running
    assert generator.__name__ == "items"
    assert generator.__qualname__.endswith("items")
    assert "generator object" in repr(generator)
    generator.__name__ = "renamed"
    assert generator.__name__ == "renamed"
    generator.close()
    assert inspect.getgeneratorstate(generator) == inspect.GEN_CLOSED


def test_weak_references(items):
    """Generators can be referred to weakly, and are freed without the collector."""
    generator = items()
    next(generator)
    watch = weakref.ref(generator)
    del generator
    assert watch() is None


def test_a_context_manager_over_one(patient, tally):
    """`contextlib.contextmanager` over a protected generator function is a protected block."""

    @contextlib.contextmanager
    @patient
    def block(fails=False):
        yield 7
        if fails:
            raise LookupError

    with block() as value:
        assert value == 7
    with pytest.raises(TroubleError), block():
        raise TroubleError
    with pytest.raises(LookupError), block(fails=True):
        pass
    assert tally(patient) == {"success": 2, "failure": 1}
    patient.force_open()
    with pytest.raises(seawall.CircuitOpenError), block():
        pass


class Service:
    """Has generators for methods."""

    breaker = seawall.CircuitBreaker("service of generators", failure_threshold=60_000)

    @breaker
    def method(self):
        """Yields itself."""
        yield self

    @breaker
    @classmethod
    def of_class(cls):
        """Yields its class."""
        yield cls

    @classmethod
    @breaker
    def also_of_class(cls):
        """Yields its class."""
        yield cls

    @breaker
    @staticmethod
    def static():
        """Yields a number."""
        yield 1

    @breaker
    def __call__(self):
        """Yields itself."""
        yield self


def test_methods():
    """Methods of all kinds are protected, and objects that generate when called."""
    service = Service()
    for function, expected in (
        (service.method, service),
        (service.of_class, Service),
        (service.also_of_class, Service),
        (service.static, 1),
        (service, service),
        (functools.partial(service.method), service),
    ):
        for protected in (function, Service.breaker.call):
            made = protected() if protected is function else protected(function)
            assert list(made) == [expected]


@pytest.mark.parametrize("wrap", [functools.partial, lambda function: function])
def test_callables_of_all_sorts(patient, tally, wrap):
    """A partial around a generator function is one."""

    def items():
        yield 1

    assert list(patient(wrap(items))()) == [1]
    assert tally(patient) == {"success": 1}


def test_call(patient, tally):
    """`call` of a generator function gives a protected generator."""

    def items(*values, end):
        yield from values
        return end

    generator = patient.call(items, 1, 2, end=7)
    assert tally(patient) == {}
    assert list(generator) == [1, 2]
    assert tally(patient) == {"success": 1}
    with pytest.raises(TypeError, match="end"):
        patient.call(items)
    assert tally(patient) == {"success": 1}


def test_try_call_says_why_not(patient, tally):
    """There is no one outcome of a generator: `try_call` refuses, and says so."""

    def items():
        yield 1

    with pytest.raises(seawall.ConfigError, match="has no single outcome"):
        patient.try_call(items)
    assert tally(patient) == {}


def test_stacked_and_in_pipelines(patient, breaker, tally):
    """Policies stacked, and pipelines, are one plan around a generator as well."""

    def items():
        yield 1
        raise TroubleError

    for protected in (patient(breaker(items)), seawall.Pipeline("both", patient, breaker)(items)):
        with pytest.raises(TroubleError):
            list(protected())
        breaker.reset()
    assert list(seawall.Pipeline("empty")(lambda: (yield 1))()) == [1]
    assert tally(patient) == {"failure": 2}


def test_more_policies_than_fit_in_place(tally):
    """Six policies let a generator in, and are all told of its end."""
    breakers = [seawall.CircuitBreaker(f"row {number}") for number in range(6)]
    protected = seawall.Pipeline("tall", *breakers)(lambda: (yield 1))
    next(protected())
    assert [tally(breaker) for breaker in breakers] == [{"success": 1}] * 6


def test_keys(tally):
    """A generator's key is that of its call."""
    breaker = seawall.CircuitBreaker("keyed", failure_threshold=1, key="host")

    @breaker
    def items(host):
        yield host
        if host == "bad":
            raise TroubleError

    with pytest.raises(TroubleError):
        list(items("bad"))
    assert list(items("good")) == ["good"]
    generator = items("bad")
    with pytest.raises(seawall.CircuitOpenError):
        next(generator)
    items("good").close()


def test_reconfigured_meanwhile(breaker):
    """A generator made before a reconfiguration is let in by what holds at its first item."""

    @breaker
    def items():
        yield 1
        raise TroubleError

    made = items()
    breaker.reconfigure(failure_threshold=2)
    with pytest.raises(TroubleError):
        list(made)
    assert breaker.state == "closed"


def test_tracebacks_show_no_frame_of_ours(items):
    """What it raises carries the frames of the function and of its consumer, no more."""

    @seawall.CircuitBreaker()
    def failing():
        yield 1
        raise TroubleError

    with pytest.raises(TroubleError) as raised:
        list(failing())
    names = [entry.name for entry in raised.traceback]
    assert names == ["test_tracebacks_show_no_frame_of_ours", "failing"]
