"""What can be hedged, what it stays, and what is refused."""

import asyncio
import contextlib
import functools
import inspect
import pickle

import pytest
import seawall


class Place:
    """Has methods."""

    hedge = seawall.Hedge("place", delay=5)

    @hedge
    async def amethod(self, number):
        """Of an instance."""
        return self, number

    @hedge
    @classmethod
    def of_class(cls, number):
        """Of the class."""
        return cls, number

    @staticmethod
    @hedge
    def alone(number):
        """Of neither."""
        return number


@seawall.Pipeline(
    "kinds",
    seawall.Retry("kinds"),
    seawall.Hedge("kinds", delay=5),
    seawall.CircuitBreaker("kinds"),
)
async def work(number: int, *, double: bool = False) -> int:
    """Works."""
    return number * 2 if double else number


def test_a_hedged_function_is_one_wrapper():
    """To the outside it is the function: its kind, signature, names and policies."""
    assert inspect.iscoroutinefunction(work)
    assert str(inspect.signature(work)) == "(number: int, *, double: bool = False) -> int"
    assert (work.__name__, work.__doc__) == ("work", "Works.")
    assert [policy.kind for policy in work.__policies__] == ["retry", "hedge", "breaker"]
    assert inspect.iscoroutinefunction(work.__wrapped__)
    assert not hasattr(work.__wrapped__, "__policies__")
    assert repr(work).startswith("<<function work")
    assert pickle.loads(pickle.dumps(work)) is work
    assert asyncio.run(work(2, double=True)) == 4


def test_its_coroutines_have_its_name():
    """In what a debugger shows of them, and in the warning about one that was never awaited."""
    coroutine = work(1)
    assert (coroutine.__name__, coroutine.__qualname__) == ("work", "work")
    with pytest.warns(RuntimeWarning, match="coroutine 'work' was never awaited"):
        del coroutine


def test_stacking_is_a_pipeline(clock):
    """A policy that is put around a hedged function later is outside of the hedge."""
    hedge, bulkhead = seawall.Hedge("h", delay=0.1), seawall.Bulkhead("b")
    begun = []

    async def slow():
        begun.append(1)
        await seawall.waiting.asleep(1)

    with pytest.warns(seawall.CompositionWarning):
        stacked = bulkhead(hedge(slow))
    assert stacked.__wrapped__ is not slow or not hasattr(slow, "__policies__")
    assert [policy.kind for policy in stacked.__policies__] == ["bulkhead", "hedge"]
    asyncio.run(stacked())
    assert (len(begun), bulkhead.snapshot().counts["entered"]) == (2, 1)


def test_methods_bind():
    """Of instances and of classes; static ones don't."""
    place = Place()
    assert asyncio.run(place.amethod(1)) == (place, 1)
    assert (Place.of_class(2), place.of_class(2)) == ((Place, 2), (Place, 2))
    assert place.alone(3) == 3


def test_calls_of_what_is_not_decorated(clock, service):
    """`call` hedges one call, through the policies around and inside as well."""
    calls = service((10, None), (0.01, None))
    bulkhead = seawall.Bulkhead("b", max_concurrent=2)
    guard = seawall.Pipeline("p", seawall.Retry("r"), seawall.Hedge("h", delay=0.1), bulkhead)

    async def main():
        return await guard.call(calls.aanswer, 1, two=2)

    assert asyncio.run(main()) == 1
    assert bulkhead.snapshot().counts["entered"] == 2
    calls.begun = 0
    assert guard.call(calls.answer) == 1


@pytest.mark.parametrize("inside", [True, False])
def test_keys_of_calls(clock, service, inside):
    """A policy with a state for each key finds it in the arguments, on either side of the hedge."""
    hedge = seawall.Hedge("h", delay=0.1)
    breaker = seawall.CircuitBreaker("b", key="host")

    async def fetch(path, host="here"):
        return path

    policies = (hedge, breaker) if inside else (breaker, hedge)
    with pytest.warns(seawall.CompositionWarning) if not inside else contextlib.nullcontext():
        guard = seawall.Pipeline("p", *policies)

    async def main():
        await guard(fetch)("/", "there")
        await guard.call(fetch, "/", host="elsewhere")
        await guard.block(key="fixed").call(fetch, "/")

    asyncio.run(main())
    assert set(breaker.keys) == {"there", "elsewhere", "fixed"}


def generator():
    """Gives items."""
    yield 1


async def async_generator():
    """Gives items."""
    yield 1


@pytest.mark.parametrize("function", [generator, async_generator, functools.partial(generator)])
def test_generators_are_refused(function):
    """When they are decorated, and when they are called through it."""
    hedge = seawall.Hedge("h", delay=5)
    guard = seawall.Pipeline("p", seawall.Retry("r"), hedge)
    for make in (hedge, guard, hedge.call, guard.call):
        with pytest.raises(seawall.ConfigError, match="items can't be taken back"):
            make(function)


def test_blocks_are_refused():
    """Of either kind."""
    hedge = seawall.Hedge("h", delay=5)
    with pytest.raises(TypeError, match="beside itself"), hedge:
        pass

    async def main():
        async with seawall.Pipeline("p", seawall.CircuitBreaker("b"), hedge):
            pass

    with pytest.warns(seawall.CompositionWarning), pytest.raises(TypeError, match="beside itself"):
        asyncio.run(main())


def test_a_plain_function_that_gives_an_awaitable_is_refused():
    """Its end would not be seen in another thread; nothing is left that was never awaited."""

    async def inner():
        return 1

    hedged = seawall.Hedge("h", delay=5)(lambda: inner())
    with pytest.raises(TypeError, match="hedge an `async def`"):
        hedged()


def test_a_coroutine_function_by_its_call(run):
    """An object whose `__call__` is one; and a partial."""

    class Client:
        async def __call__(self, number):
            return number

    async def main():
        assert await seawall.Hedge("a", delay=5)(Client())(1) == 1
        assert await seawall.Hedge("b", delay=5)(functools.partial(Client(), 2))() == 2

    run(main)


def test_wrong_arguments_are_the_calls(run, counts):
    """As from the function itself, once it is awaited."""

    async def main():
        with pytest.raises(TypeError, match="missing 1 required"):
            await hedge(work.__wrapped__)()

    hedge = seawall.Hedge("h", delay=5, on=OSError)
    run(main)
    assert counts(hedge) == {"passed": 1}


def test_a_thread_that_runs_a_loop_is_warned():
    """A plain function waits for its attempts by blocking."""
    hedged = seawall.Hedge("h", delay=5)(lambda: 1)

    async def main():
        return hedged()

    with pytest.warns(seawall.BlockingWaitWarning, match="hedge 'h'"):
        assert asyncio.run(main()) == 1


def test_outcomes_say_who_answered(way, clock, service):
    """`hedged`, and how often the function was run, over all retries around the hedge."""
    calls = service((0.01, OSError()), (0.01, OSError()), (10, None), (0.01, None))
    retry = seawall.Retry("r", attempts=2, on=OSError, backoff=0)
    guard = seawall.Pipeline("p", retry, seawall.Hedge("h", delay=0.1))
    outcome = way.run(lambda: guard.try_call(way.of(calls)))
    assert (outcome.value, outcome.hedged, outcome.attempts) == (3, True, 4)
    calls.begun, calls.script = 0, [(0.01, None)]
    outcome = way.run(lambda: guard.try_call(way.of(calls)))
    assert (outcome.value, outcome.hedged, outcome.attempts) == (0, False, 1)


def test_outcomes_of_what_was_refused(way, service):
    """By a policy on either side of the hedge, and of what failed."""
    breaker = seawall.CircuitBreaker("b")
    breaker.force_open()
    for order in ((seawall.Hedge("a", delay=5), breaker), (breaker, seawall.Hedge("b", delay=5))):
        with (
            contextlib.nullcontext()
            if order[1] is breaker
            else pytest.warns(seawall.CompositionWarning)
        ):
            guard = seawall.Pipeline("p", *order)
        outcome = way.run(lambda guard=guard: guard.try_call(way.of(service(None))))
        assert isinstance(outcome.rejected, seawall.CircuitOpenError)
        assert (outcome.ok, outcome.attempts, outcome.hedged) == (False, 0, False)
        with pytest.raises(seawall.CircuitOpenError):
            outcome.unwrap()
    hedge = seawall.Hedge("c", delay=5)
    outcome = way.run(lambda: hedge.try_call(way.of(service((None, OSError())))))
    assert isinstance(outcome.error, OSError)
    assert (outcome.rejected, outcome.attempts) == (None, 2)
