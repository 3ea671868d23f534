"""A fallback among other policies, and where it can't be."""

import pytest
import seawall

from tests.policies.fallback.calls import Service, broken, counts, down


async def later(error):
    """A coroutine function."""


def test_policies_further_out_see_the_answer(kind):
    """As a call that went well: a breaker counts a success, a retry does not try again."""
    breaker, retry = seawall.CircuitBreaker(failure_threshold=1), seawall.Retry(backoff=1)
    with pytest.warns(seawall.CompositionWarning, match="takes its answer for the service's own"):
        guard = seawall.Pipeline("p", retry, breaker, seawall.Fallback("default"))
    service = Service()
    service.error = ConnectionError()
    assert kind.run(guard(kind.function(service))) == "default"
    assert service.calls == 1
    assert breaker.snapshot().counts["success"] == 1


def test_policies_further_in_see_their_own_end(kind):
    """A breaker inside counts the failure, a retry inside has its attempts first."""
    breaker = seawall.CircuitBreaker(failure_threshold=10)
    guard = seawall.Pipeline(
        "p", seawall.Fallback("default"), seawall.Retry(attempts=3, backoff=1), breaker
    )
    assert kind.run(guard(kind.function(down))) == "default"
    assert breaker.snapshot().counts["failure"] == 3


def test_a_failure_is_one_for_policies_further_out(kind):
    """The original error: they may try again, and each time providers are asked anew."""
    asked = []

    def provider(error):
        asked.append(type(error))
        raise LookupError

    with pytest.warns(seawall.CompositionWarning):
        guard = seawall.Pipeline(
            "p", seawall.Retry(attempts=3, backoff=1), seawall.Fallback(provider)
        )
    with pytest.raises(ConnectionError) as raised:
        kind.run(guard(kind.function(down)))
    assert asked == [ConnectionError] * 3
    assert isinstance(raised.value.__context__, LookupError)


def test_a_fallback_in_a_fallback(kind):
    """The outer one answers where the inner one does not."""
    inner, outer = seawall.Fallback(broken), seawall.Fallback("outer")
    with pytest.warns(seawall.CompositionWarning):
        guard = seawall.Pipeline("p", outer, inner)
    assert kind.run(guard(kind.function(down))) == "outer"
    assert (counts(inner), counts(outer)) == ({"failed": 1}, {"used": 1})


def test_a_permit_is_given_back_before_a_provider_runs(kind):
    """Steps further in are left by then."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)
    guard = seawall.Pipeline(
        "p", seawall.Fallback(lambda _: bulkhead.snapshot().in_flight), bulkhead
    )
    assert kind.run(guard(kind.function(down))) == 0


def test_the_time_that_providers_take_is_the_calls(kind, clock):
    """To policies further out that want to know how long it took."""
    breaker = seawall.CircuitBreaker(
        slow_call_rate=0.5, slow_call_duration=5, window=seawall.calls(1), min_calls=1
    )

    def provider(error):
        clock.advance(10)

    with pytest.warns(seawall.CompositionWarning):
        guard = seawall.Pipeline("p", breaker, seawall.Fallback(provider))
    kind.run(guard(kind.function(down)))
    assert breaker.state == "open"


@pytest.mark.parametrize("stale", [None, 60])
def test_a_refusal_that_is_answered_is_a_quick_call(kind, stale):
    """Further out, no longer than it took."""
    outer = seawall.CircuitBreaker(
        "outer", slow_call_rate=0.5, slow_call_duration=5, window=seawall.calls(1), min_calls=1
    )
    inner = seawall.CircuitBreaker("inner")
    with pytest.warns(seawall.CompositionWarning):
        guard = seawall.Pipeline("p", outer, seawall.Fallback("default", stale=stale), inner)
    protected = guard(kind.function(lambda: "default"))
    kind.run(protected)
    inner.force_open()
    assert kind.run(protected) == "default"
    assert outer.state == "closed"


def test_calls_through_a_hedge_are_told_apart_by_their_function(kind):
    """As decorated ones are: what makes the attempts of a call is made anew for each."""
    fallback = seawall.Fallback(stale=60)
    guard = seawall.Pipeline("p", fallback, seawall.Hedge(delay=60), seawall.Bulkhead())
    service, other = Service(), Service()
    function = kind.function(service)
    for call in (lambda value: guard.call(function, value), guard(function)):
        service.error = None
        once = kind.run(guard.call, function, "ann")
        assert fallback.snapshot().remembered == 1
        service.error = ConnectionError()
        with seawall.testing.record() as told:
            assert kind.run(call, "ann") == once
        assert [event.kind for event in told if event.policy == "fallback"] == ["fallback.stale"]
    assert kind.run(guard.try_call, function, "ann").stale
    other.error = ConnectionError()
    assert not kind.run(guard.try_call, kind.function(other), "ann").ok
    assert not kind.run(guard.try_call, function, "bob").ok


def test_stacked_decorators_are_one_plan(kind):
    """As a pipeline."""
    fallback = seawall.Fallback("default")
    breaker = seawall.CircuitBreaker()
    breaker.force_open()
    assert kind.run(fallback(breaker(kind.function(down)))) == "default"


def test_blocks_are_refused():
    """Nothing can take the place of a block."""
    fallback = seawall.Fallback(0)
    with pytest.raises(TypeError, match="nothing can take the place of a block"), fallback:
        pass
    assert counts(fallback) == {}


def test_a_coroutine_function_can_answer_for_no_plain_function():
    """Refused where it is put there, also by `call`, with everything that is wrong at once."""
    fallback = seawall.Fallback(later, later)
    for protect in (fallback, fallback.call, fallback.try_call):
        with pytest.raises(seawall.ConfigError, match="is a coroutine function") as refused:
            protect(down)
        assert [it.field for it in refused.value.problems] == ["providers[0]", "providers[1]"]


def test_generators_are_answered_for_by_items():
    """What can't be iterated is refused, and so is memory."""

    def items():
        yield

    async def async_items():
        yield

    for function in (items, async_items):
        with pytest.raises(seawall.ConfigError, match="can't be iterated"):
            seawall.fallback(5)(function)
        with pytest.raises(seawall.ConfigError, match="items are not remembered"):
            seawall.fallback(stale=5)(function)
    for provider in (later, async_items):
        with pytest.raises(seawall.ConfigError, match="is not a plain or generator function"):
            seawall.fallback(provider)(items)


def test_no_fallback_inside_of_a_pool():
    """What threads are limited to is one call: a provider would run outside of them."""
    for outer in (seawall.Timeout(5, pool="threads"), seawall.Bulkhead(pool="threads")):
        with pytest.raises(seawall.ConfigError, match="inside of the fallback"):
            seawall.Pipeline("p", outer, seawall.Fallback(0))


def test_a_pool_inside_of_a_fallback():
    """It is given up, and answered for."""
    guard = seawall.Pipeline(
        "p", seawall.Fallback("default"), seawall.Bulkhead(pool="threads", max_concurrent=1)
    )
    assert guard(down)() == "default"
    assert guard(lambda: 5)() == 5


def test_the_same_fallback_twice_is_refused():
    """One call would be counted as two."""
    fallback = seawall.Fallback(0)
    with pytest.raises(seawall.ConfigError, match="twice"):
        fallback(fallback(down))
