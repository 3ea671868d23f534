"""Generator functions: let in at the first item, settled when no more will come."""

import collections.abc
import contextlib
import functools
import gc
import inspect
import sys
import weakref

import pytest
import seawall

GIVEN = [1, 2, 3]


class TroubleError(Exception):
    """A failure."""


@pytest.fixture
def items(patient):
    """A protected generator function that tells what is done with it."""

    @patient
    def items(*values, end=None, told=None):
        told = [] if told is None else told
        try:
            for value in values or GIVEN:
                told.append((yield value))
        except TroubleError as error:
            told.append(error)
            raise
        finally:
            told.append("finally")
        return end

    return items


def test_items_and_the_end(items, patient, tally):
    """Items come through, and the end of the last is a success."""
    assert list(items()) == GIVEN
    assert tally(patient) == {"success": 1}


def test_the_return_value_is_kept(items):
    """`return` carries its value through `next`, `send` and `yield from`, whatever it is."""
    for end in (7, (1, 2), TroubleError("returned"), None):
        by_next, by_send = items(1, end=end), items(1, end=end)
        next(by_next)
        with pytest.raises(StopIteration) as stop:
            next(by_next)
        assert stop.value.value is end
        next(by_send)
        with pytest.raises(StopIteration) as stop:
            by_send.send(None)
        assert stop.value.value is end

        def outer(end=end):
            return (yield from items(1, end=end))

        steps = outer()
        assert next(steps) == 1
        with pytest.raises(StopIteration) as stop:
            next(steps)
        assert stop.value.value is end


def test_sent_values_arrive(items):
    """What is sent is what `yield` gives."""
    told = []
    generator = items(told=told)
    assert [next(generator), generator.send("a"), generator.send("b")] == GIVEN
    assert told == ["a", "b"]


def test_through_yield_from(items, patient, tally):
    """`yield from` sends, throws and closes through."""

    def outer(told):
        with contextlib.suppress(TroubleError):
            yield from items(told=told)
        yield from items(told=told)

    told = []
    error = TroubleError()
    steps = outer(told)
    next(steps)
    assert steps.send("sent") == 2
    assert steps.throw(error) == 1
    assert told == ["sent", error, "finally"]
    steps.close()
    assert told[3:] == ["finally"]
    assert tally(patient) == {"success": 2}


def test_nothing_is_asked_before_the_first_item(items, patient, tally):
    """Made, closed, dropped or thrown into before the first item, it never took anything."""
    patient.force_open()
    told = []
    fresh = [items(told=told) for _ in range(4)]
    fresh[0].close()
    with pytest.raises(TroubleError):
        fresh[1].throw(TroubleError())
    with pytest.raises(TypeError, match="can't send non-None value to a just-started generator"):
        fresh[2].send(1)
    for generator in fresh[:2]:
        assert list(generator) == []
    del generator, fresh
    assert told == []
    assert tally(patient) == {}


def test_a_value_too_early_begins_nothing(items, patient, tally):
    """After a refused `send` it can still be begun."""
    generator = items()
    with pytest.raises(TypeError):
        generator.send(1)
    with pytest.raises(TypeError, match="exceptions must"):
        generator.throw(7)
    assert tally(patient) == {}
    assert list(generator) == GIVEN
    assert tally(patient) == {"success": 1}


def test_refused_at_the_first_item(patient, tally):
    """An open circuit refuses at the first item, and the generator is over."""

    class Argument:
        """Something to hold."""

    @patient
    def items(argument):
        yield argument

    argument = Argument()
    watch = weakref.ref(argument)
    generator = items(argument)
    del argument
    patient.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        next(generator)
    assert generator.gi_frame is None
    patient.reset()
    before = tally(patient)
    assert list(generator) == []
    assert tally(patient) == before
    del generator
    assert watch() is None


def test_refusals_count(breaker, tally):
    """A refusal is one for each generator, whoever asks for the first item."""

    @breaker
    def items():
        yield 1

    breaker.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        list(items())
    with pytest.raises(seawall.CircuitOpenError):
        items().send(None)
    assert tally(breaker) == {"rejected": 2}


def test_failures_count(patient, tally):
    """What it raises, before the first item or after, is a failure and comes through."""

    @patient
    def items(good):
        yield from range(good)
        raise TroubleError

    for good in (0, 2):
        with pytest.raises(TroubleError):
            list(items(good))
    assert tally(patient) == {"failure": 2}


def test_failures_open_the_circuit(breaker):
    """A generator that fails while it is consumed opens the circuit."""

    @breaker
    def items():
        yield 1
        raise TroubleError

    with pytest.raises(TroubleError):
        list(items())
    assert breaker.state == "open"


@pytest.mark.parametrize("leave", ["close", "break", "drop", "collect", "throw"])
def test_left_after_an_item(items, patient, tally, leave):
    """Whoever had an item may leave: the work was done."""
    told = []
    generator = items(told=told)
    error = TroubleError()
    if leave == "break":
        for _ in generator:
            break
    else:
        next(generator)
    assert tally(patient) == {"in_flight": 1}
    if leave == "close":
        generator.close()
    elif leave == "throw":
        with pytest.raises(TroubleError) as raised:
            generator.throw(error)
        assert raised.value is error
    elif leave == "collect":
        cycle = [generator]
        cycle.append(cycle)
        del cycle
    del generator
    gc.collect()
    assert told[-1] == "finally"
    assert tally(patient) == {"success": 1}


@pytest.mark.parametrize("stop", [StopIteration, StopAsyncIteration])
def test_a_stop_thrown_in_is_the_consumers_leaving(patient, items, tally, stop):
    """A stop may not come out of a generator as one, but the error in its place is no failure."""
    generator = items()
    assert next(generator) == 1
    with pytest.raises((RuntimeError, stop)):
        generator.throw(stop("the consumer's"))
    assert tally(patient) == {"success": 1}


def test_leaving_by_the_exceptions_class(items, patient, tally):
    """`throw(Class)`, and with value and traceback, is known again as well."""
    one, other = items(), items()
    next(one), next(other)
    with pytest.raises(TroubleError):
        one.throw(TroubleError)
    warns = contextlib.nullcontext()
    if sys.version_info >= (3, 12):
        warns = pytest.warns(DeprecationWarning, match="signature of throw")
    error = TroubleError()
    with pytest.raises(TroubleError), warns:
        other.throw(TroubleError, error, None)
    assert tally(patient) == {"success": 2}


def test_another_exception_is_its_own(patient, tally):
    """A consumer's exception that is answered by another one is a failure."""

    @patient
    def items():
        try:
            yield 1
        except TroubleError as error:
            raise LookupError from error

    generator = items()
    next(generator)
    with pytest.raises(LookupError):
        generator.throw(TroubleError())
    assert tally(patient) == {"failure": 1}


def test_an_exception_that_is_handled(patient, tally):
    """A consumer's exception may be answered by an item, or by the end."""

    @patient
    def items():
        for _ in range(2):
            with contextlib.suppress(TroubleError):
                yield 1
        return 7

    generator = items()
    next(generator)
    assert generator.throw(TroubleError()) == 1
    assert tally(patient) == {"in_flight": 1}
    with pytest.raises(StopIteration) as stop:
        generator.throw(TroubleError())
    assert stop.value.value == 7
    assert tally(patient) == {"success": 1}


def test_a_cleanup_that_fails(patient, tally):
    """Closing it is a success; a cleanup that raises is a failure, and comes through."""

    @patient
    def items():
        try:
            yield 1
        finally:
            raise TroubleError

    generator = items()
    next(generator)
    with pytest.raises(TroubleError):
        generator.close()
    assert tally(patient) == {"failure": 1}


def test_one_that_refuses_to_be_closed(patient, tally):
    """A generator that ignores GeneratorExit goes on, and nothing is settled."""

    @patient
    def items():
        with contextlib.suppress(GeneratorExit):
            yield 1
        yield 2

    generator = items()
    next(generator)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        generator.close()
    assert tally(patient) == {"in_flight": 1}
    assert list(generator) == []
    assert tally(patient) == {"success": 1}


def test_arguments_that_are_no_exception(items, patient, tally):
    """`throw` of what is no exception leaves it as it is."""
    generator = items()
    next(generator)
    with pytest.raises(TypeError, match="exceptions must"):
        generator.throw(7)
    with pytest.raises(TypeError, match="expected at least 1"):
        generator.throw()
    assert tally(patient) == {"in_flight": 1}
    assert list(generator) == [2, 3]
    assert tally(patient) == {"success": 1}


def test_it_cannot_come_back_into_itself(patient, tally):
    """Stepping, throwing and closing from inside is refused as ever, and settles nothing."""

    @patient
    def items():
        for again in (
            lambda: next(generator),
            lambda: generator.send(1),
            lambda: generator.throw(TroubleError()),
            generator.close,
        ):
            with pytest.raises(ValueError, match="generator already executing"):
                again()
            yield generator.gi_running

    generator = items()
    assert next(generator)
    assert tally(patient) == {"in_flight": 1}
    assert list(generator) == [True] * 3
    assert tally(patient) == {"success": 1}


def test_a_listener_cannot_step_what_is_being_let_in(breaker, clock):
    """A listener that is told of the admission finds the generator at work."""
    seen = []

    @breaker
    def items():
        yield 1

    breaker.force_open()
    breaker.reset()
    with contextlib.suppress(TroubleError):
        breaker.call(raise_trouble)
    clock.advance(11)
    generator = items()

    def listener(event):
        with pytest.raises(ValueError, match="already executing") as error:
            next(generator)
        seen.append(error)

    with seawall.subscribe(listener, kinds=["breaker.half_opened"]):
        assert list(generator) == [1]
    assert seen


def raise_trouble():
    """Raises."""
    raise TroubleError


def test_results_are_judged(tally):
    """`on_result` is asked about the return value, and not about what was left."""
    asked = []

    def judge(value):
        asked.append(value)
        return value == "bad"

    breaker = seawall.CircuitBreaker(failure_threshold=60_000, on_result=judge)

    @breaker
    def items(end):
        yield 1
        return end

    for end in ("good", "bad"):
        list(items(end))
    next(items("left"))
    assert asked == ["good", "bad"]
    assert tally(breaker) == {"success": 2, "failure": 1}


def test_consumers_time_does_not_count(clock, tally):
    """Only the time between asking for an item and getting it is the generator's."""
    breaker = seawall.CircuitBreaker(
        slow_call_rate=1.0, slow_call_duration=10, min_calls=60_000, window=seawall.calls(60_000)
    )

    @breaker
    def items(takes):
        for _ in range(3):
            clock.advance(takes)
            yield 1

    for _ in items(3):
        clock.advance(100)
    assert tally(breaker) == {"success": 1}
    for _ in items(4):
        pass
    for takes, leave in ((9, 1), (6, 2)):
        left = items(takes)
        for _ in range(leave):
            next(left)
            clock.advance(100)
        del left
    assert tally(breaker) == {"success": 4, "slow": 2}


def half_open(breaker, clock):
    """Brings a breaker to where the next call is its only probe."""
    with contextlib.suppress(TroubleError):
        breaker.call(raise_trouble)
    clock.advance(11)


def test_a_probe_at_rest_has_nobody_inside(breaker, clock):
    """Calls made inside of a probe ride along; those of its consumer, while it rests, do not."""
    inside = []

    @breaker
    def items():
        for _ in range(2):
            inside.append(breaker.call(int))
            yield 1

    half_open(breaker, clock)
    generator = items()
    next(generator)
    with pytest.raises(seawall.CircuitOpenError):
        breaker.call(int)
    next(generator)
    with pytest.raises(seawall.CircuitOpenError):
        breaker.call(int)
    assert inside == [0, 0]
    assert breaker.state == "half_open"
    generator.close()
    assert breaker.state == "closed"


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_a_probe_that_is_left(breaker, clock, leave):
    """A probe left after an item closes the circuit; its cleanup is still inside."""
    inside = []

    @breaker
    def items():
        try:
            yield 1
        finally:
            inside.append(breaker.call(int))

    half_open(breaker, clock)
    generator = items()
    next(generator)
    if leave == "close":
        generator.close()
    del generator
    assert inside == [0]
    assert breaker.state == "closed"


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


def test_nested(patient, tally):
    """Protected generators inside of one another are each counted."""

    @patient
    def tree(depth):
        yield depth
        if depth:
            yield from tree(depth - 1)

    assert list(tree(3)) == [3, 2, 1, 0]
    assert tally(patient) == {"success": 4}
