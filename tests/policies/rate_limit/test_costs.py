"""What a call takes of the limit."""

import asyncio

import pytest
import seawall

from tests.policies.rate_limit.calls import admitted, nothing


def test_a_call_may_cost_more_or_less(clock):
    """Three decimals of it count, and add up exactly."""
    limit = seawall.RateLimit(limit=1, burst=3, cost=0.3)
    assert admitted(limit(nothing), 20) == 10
    assert limit.retry_after == 1


def test_a_call_says_what_it_costs(clock):
    """A callable of its arguments is asked, before it is let in."""
    limit = seawall.RateLimit(limit=10, burst=10, cost=lambda items, bulk=1: len(items) / bulk)
    send = limit(lambda items, bulk=1: len(items))
    assert send([1] * 6) == 6
    assert send([1] * 30, bulk=10) == 30
    with pytest.raises(seawall.RateLimitedError) as refused:
        send([1] * 2)
    assert (refused.value.cost, refused.value.retry_after) == (2, 0.1)
    assert send([]) == 0, "what costs nothing is let in"
    assert limit.snapshot().counts["admitted"] == 3


def test_coroutines_are_asked_when_they_are_called(clock):
    """Their arguments are gone by the time they are let in."""
    asked = []

    @seawall.rate_limit("sums", 10, cost=lambda n: asked.append(n) or n)
    async def add(n):
        return n

    async def main():
        coroutine = add(7)
        assert asked == [7]
        assert await coroutine == 7
        with pytest.raises(seawall.RateLimitedError):
            await add(4)

    asyncio.run(main())


def test_what_costs_too_much_is_told_so(clock):
    """It would never be let in: there is no time to name."""
    limit = seawall.RateLimit("bulk", 10, cost=lambda n: n)
    with pytest.raises(seawall.RateLimitedError) as refused:
        limit.call(nothing, 11)
    assert refused.value.retry_after is None
    assert "raise its burst" in str(refused.value)
    assert admitted(limit(nothing), 1, 10) == 1


@pytest.mark.parametrize("answer", [-1, float("nan"), float("inf"), "two", None, True, 1e10])
def test_a_wrong_answer_is_an_error(clock, answer):
    """The call is not made, and nothing is taken."""
    limit = seawall.RateLimit("odd", 10, cost=lambda: answer)
    with pytest.raises(ValueError, match="cost of rate limit 'odd' answered"):
        limit.call(nothing)
    assert limit.snapshot().available == 10


def test_an_error_of_the_callable_is_the_callers(clock):
    """Nothing is let in, and nothing is taken."""

    def ask(order):
        raise KeyError(order)

    limit = seawall.RateLimit(limit=10, cost=ask)
    with pytest.raises(KeyError, match="book"):
        limit.call(nothing, "book")
    assert limit.snapshot().available == 10


def test_a_block_has_no_arguments(clock):
    """A number serves it, a callable does not."""
    with pytest.raises(TypeError, match="a block has none"), seawall.RateLimit(limit=9, cost=len):
        pass
    limit = seawall.RateLimit(limit=9, cost=2.5)
    with limit:
        assert limit.snapshot().available == 6.5
