"""What answers in the place of a call that failed, and which calls those are."""

import asyncio

import pytest
import seawall

from tests.policies.fallback.calls import Service, answer, broken, counts, down, forever


def test_a_value_is_the_answer(kind):
    """Of a call that failed; it is the object itself."""
    default = object()
    fallback = seawall.Fallback(default)
    assert kind.run(fallback(kind.function(down))) is default
    assert counts(fallback) == {"used": 1}


def test_a_call_that_goes_well_is_its_own_answer(kind):
    """Nobody is asked."""
    fallback = seawall.Fallback(broken)
    assert kind.run(fallback(kind.function(lambda: 5))) == 5
    assert counts(fallback) == {"success": 1}


def test_a_callable_gets_the_exception_and_the_arguments(kind):
    """The exception that was raised, then the call's own arguments, by place and by name."""
    protected = seawall.fallback(answer)(kind.function(down))
    error, arguments, named = kind.run(protected, 1, "b", more=3)
    assert isinstance(error, ConnectionError)
    assert (arguments, named) == ((1, "b"), {"more": 3})


def test_many_arguments_arrive(kind):
    """More of them than are kept in place."""
    protected = seawall.fallback(answer)(kind.function(down))
    _, arguments, named = kind.run(protected, *range(9), a=1, b=2)
    assert (arguments, named) == (tuple(range(9)), {"a": 1, "b": 2})


def test_a_method_hands_its_self_on():
    """A provider of a method gets the object after the exception."""

    class Shop:
        @seawall.fallback(answer)
        def cart(self, user):
            """Fails."""
            raise ConnectionError

    shop = Shop()
    error, arguments, _ = shop.cart("ann")
    assert isinstance(error, ConnectionError)
    assert arguments == (shop, "ann")


def test_a_coroutine_function_is_awaited(loop):
    """Where the function that failed is one."""

    async def later(error, value):
        return type(error), value

    protected = seawall.fallback(later)(loop.function(down))
    assert loop.run(protected, 5) == (ConnectionError, 5)


def test_a_provider_suspends(loop):
    """As often as it likes, in the loop of its caller."""

    async def later(error):
        await loop._module.sleep(0)
        await loop._module.sleep(0)
        return "late"

    assert loop.run(seawall.fallback(later)(loop.function(down))) == "late"


def test_a_chain_is_asked_in_order(kind):
    """Each provider after the one before it has failed; those behind the answer are not asked."""
    asked = []

    def provider(name, error=None):
        def ask(_):
            asked.append(name)
            if error:
                raise error
            return name

        return ask

    fallback = seawall.Fallback(
        provider("a", LookupError), provider("b", ValueError), provider("c"), provider("d")
    )
    assert kind.run(fallback(kind.function(down))) == "c"
    assert asked == ["a", "b", "c"]
    assert counts(fallback) == {"used": 1}


def test_a_chain_mixes_all_sorts(loop):
    """Coroutine functions, plain ones, and a value at the end."""

    async def later(error):
        await loop._module.sleep(0)
        raise LookupError

    fallback = seawall.Fallback(later, broken, later, "value")
    assert loop.run(fallback(loop.function(down))) == "value"


def test_providers_have_breakers_of_their_own(kind):
    """Failover: one whose circuit is open is passed over without being called."""
    called = []

    def provider(name, end):
        def ask(error):
            called.append(name)
            return end()

        return seawall.CircuitBreaker(name, failure_threshold=1)(ask)

    chain = seawall.Fallback(provider("near", down), provider("far", lambda: "far"))
    protected = chain(kind.function(down))
    assert [kind.run(protected) for _ in range(3)] == ["far"] * 3
    assert called == ["near", "far", "far", "far"]


def test_only_what_is_meant_is_answered_for(kind):
    """``on`` names the classes, ``ignore`` those of them that are not; others pass through."""
    fallback = seawall.Fallback(0, on=OSError, ignore=FileNotFoundError)
    service = Service()
    protected = fallback(kind.function(service))
    for error, answered in [
        (ConnectionError(), True),
        (FileNotFoundError(), False),
        (ValueError(), False),
    ]:
        service.error = error
        if answered:
            assert kind.run(protected) == 0
        else:
            with pytest.raises(type(error)):
                kind.run(protected)
    assert counts(fallback) == {"used": 1, "passed": 2}


def test_a_predicate_decides(kind):
    """Of the exception."""
    fallback = seawall.Fallback(0, on=lambda error: "down" in str(error))
    assert kind.run(fallback(kind.function(down))) == 0
    with pytest.raises(LookupError):
        kind.run(fallback(kind.function(lambda: broken(None))))


def test_a_result_may_be_no_good(kind):
    """Then providers get None in the place of an exception."""
    fallback = seawall.Fallback(answer, on_result=lambda value: value < 0)
    protected = fallback(kind.function(lambda value: value))
    assert kind.run(protected, 1) == 1
    assert kind.run(protected, -1) == (None, (-1,), {})


def test_a_result_that_nobody_betters_is_returned(kind):
    """It is what the call came to; nobody raised for it."""
    fallback = seawall.Fallback(broken, on_result=lambda value: value < 0)
    assert kind.run(fallback(kind.function(lambda: -1))) == -1
    assert counts(fallback) == {"failed": 1}


def test_a_providers_result_is_not_judged(kind):
    """What it gives is the answer."""
    fallback = seawall.Fallback(-5, on_result=lambda value: value < 0)
    assert kind.run(fallback(kind.function(lambda: -1))) == -5


def test_rejections_are_answered_for(kind):
    """By default, and where ``on`` names them; the provider gets the rejection."""
    for on in (None, seawall.Rejected, seawall.CircuitOpenError, lambda error: True):
        breaker = seawall.CircuitBreaker()
        breaker.force_open()
        protected = seawall.fallback(answer, on=on)(breaker(kind.function(down)))
        error, arguments, _ = kind.run(protected, 5)
        assert isinstance(error, seawall.CircuitOpenError)
        assert arguments == (5,)
    protected = seawall.fallback(0, on=OSError)(breaker(kind.function(down)))
    with pytest.raises(seawall.CircuitOpenError):
        kind.run(protected)


def test_timeouts_further_in_are_answered_for(loop):
    """The limit of time is over then, and does not hold for the provider."""

    async def slow():
        await forever()

    async def provider(error):
        await loop._module.sleep(0)
        assert seawall.remaining() is None
        return type(error)

    protected = seawall.fallback(provider)(seawall.timeout(1)(slow))
    assert loop.run(protected) is seawall.CallTimeoutError


def test_an_awaitable_of_a_plain_function_is_answered_for():
    """A lambda around an async client: what awaiting it raises is the call's failure."""

    async def client():
        raise ConnectionError

    fallback = seawall.Fallback(answer)
    protected = fallback(lambda value: client())

    async def main():
        return await protected(5)

    error, arguments, _ = asyncio.run(main())
    assert isinstance(error, ConnectionError)
    assert arguments == (5,)
    assert counts(fallback) == {"used": 1}


def test_a_plain_provider_may_give_an_awaitable():
    """Its end is then the call's end, also of a call that never came to one of its own."""

    async def client():
        await asyncio.sleep(0)
        return "far"

    def refused():
        raise ConnectionError

    fallback = seawall.Fallback(lambda error: client())

    async def main():
        return await fallback(refused)()

    assert asyncio.run(main()) == "far"
    assert counts(fallback) == {"used": 1}


def test_a_single_call_is_protected(kind):
    """`call` answers, and `try_call` says so: an outcome that is ok, of so many attempts."""
    fallback = seawall.Fallback("default")
    assert kind.run(fallback.call, kind.function(down)) == "default"
    outcome = kind.run(fallback.try_call, kind.function(down))
    assert (outcome.ok, outcome.value, outcome.attempts, outcome.stale) == (
        True,
        "default",
        1,
        False,
    )


def test_an_outcome_has_the_error_that_nobody_answered_for(kind):
    """With the provider's as its context."""
    outcome = kind.run(seawall.Fallback(broken).try_call, kind.function(down))
    assert isinstance(outcome.error, ConnectionError)
    assert isinstance(outcome.error.__context__, LookupError)
