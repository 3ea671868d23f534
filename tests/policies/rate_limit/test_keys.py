"""A state for each key."""

import asyncio
import gc
import weakref

import pytest
import seawall

from tests.policies.rate_limit.calls import admitted, nothing


def keyed(**settings):
    """One call a second for each user."""
    return seawall.RateLimit(**{"limit": 1, "key": "user", **settings})


def send(user, text=""):
    """Does nothing."""


def test_each_key_has_its_own(clock):
    """What one takes is not taken from the other."""
    limit = keyed(limit=2)
    for user in ("ann", "bob", None):
        assert admitted(limit(send), 5, user) == 2
    assert set(limit.keys) == {"ann", "bob", None}
    assert limit.snapshot(key="ann").counts["rejected"] == 3
    whole = limit.snapshot()
    assert (whole.counts["admitted"], whole.counts["rejected"]) == (6, 9)
    assert (whole.available, whole.retry_after) == (0, 0.5)


def test_keys_and_costs(clock):
    """Both are asked of the arguments."""
    limit = keyed(limit=10, cost=lambda user, text: len(text))
    function = limit(send)
    assert admitted(function, 3, "ann", text="12345") == 2
    assert admitted(function, 1, "bob", "1234567890") == 1


def test_coroutines(clock):
    """They find their state when they are called, and ask it when they are awaited."""

    @keyed()
    async def ask(user):
        return user

    async def main():
        assert await ask("ann") == "ann"
        with pytest.raises(seawall.RateLimitedError) as refused:
            await ask("ann")
        assert refused.value.key == "ann"
        ask("ann").close()
        assert await ask("bob") == "bob"

    asyncio.run(main())


def test_blocks(clock):
    """A block says its key."""
    limit = keyed()
    with limit.block(key="ann"):
        pass
    with pytest.raises(seawall.RateLimitedError), limit.block(key="ann"):
        pass
    with limit.block(key="bob"):
        pass
    with pytest.raises(TypeError, match="names none"), limit:
        pass
    with pytest.raises(TypeError, match="one state for all calls"):
        seawall.RateLimit(limit=1).block(key="ann")


def test_a_pipeline_of_two_that_have_keys(clock):
    """One block names the key of both."""
    guard = seawall.Pipeline("users", seawall.CircuitBreaker(key="user"), keyed())
    with guard.block(key="ann"):
        pass
    with pytest.raises(seawall.RateLimitedError), guard.block(key="ann"):
        pass


def test_what_was_taken_is_not_forgotten(clock):
    """A key that is not full again stays, however many others come; newcomers share a state."""
    limit = keyed(max_keys=2, key_idle=1)
    function = limit(send)
    for user in ("ann", "bob", "eve", "zoe"):
        assert admitted(function, 1, user) == (user != "zoe")
    assert set(limit.keys) == {"ann", "bob", seawall.OTHER_KEYS}
    with pytest.raises(seawall.RateLimitedError) as refused:
        function("zoe")
    assert refused.value.key is seawall.OTHER_KEYS
    assert admitted(function, 1, "ann") == 0
    clock.advance(1)
    assert admitted(function, 1, "eve") == 1
    assert len(limit.keys) == 3
    assert "eve" in limit.keys


def test_memory_is_bounded(clock):
    """Keys that are full again go; what they counted stays in the sums."""
    limit = keyed(max_keys=10)
    function = limit(send)
    for number in range(1000):
        clock.advance(0.5)
        function(number)
    assert len(limit.keys) <= 10
    assert limit.snapshot().counts["admitted"] == 1000


def test_a_coroutine_outlives_its_keys_state(clock):
    """It is counted where its key is by then."""
    limit = keyed(max_keys=1)

    async def ask(user):
        pass

    early = [limit.call(ask, "ann") for _ in range(2)]
    admitted(limit(send), 1, "bob")
    clock.advance(1)
    ends = []
    for coroutine in early:
        try:
            coroutine.send(None)
        except (StopIteration, seawall.RateLimitedError) as end:
            ends.append(type(end))
    assert ends == [StopIteration, seawall.RateLimitedError]
    assert limit.keys == ["ann"]


def test_a_change_reaches_every_key(clock):
    """Also those that are not full again."""
    limit = keyed(limit=1, burst=4)
    function = limit(send)
    assert admitted(function, 4, "ann") == 4
    limit.reconfigure(limit=10)
    clock.advance(0.2)
    assert admitted(function, 4, "ann") == 2


def test_a_key_that_nobody_knows():
    """There is nothing to tell of it."""
    limit = keyed()
    with pytest.raises(KeyError, match="no state for 'ann'"):
        limit.snapshot(key="ann")
    with pytest.raises(TypeError, match="one state for all calls"):
        seawall.RateLimit(limit=1).snapshot(key="ann")


def test_a_function_must_have_the_parameter():
    """It is refused when it is decorated."""
    with pytest.raises(seawall.ConfigError, match="must be one of the parameters"):
        keyed()(lambda account: account)


def test_the_collector_sees_through_it():
    """Keys, callables and listeners that lead back to a limit don't keep it."""

    class Cost:
        def __call__(self, *_args):
            return 1

    cost = Cost()
    cost.limit = limit = seawall.RateLimit(limit=5, key=lambda user: user, cost=cost)
    cost.function = limit(lambda user: user)
    cost.function(cost)
    limit.reconfigure(on_event=lambda event, limit=limit: None)
    gone = weakref.ref(cost)
    del cost, limit
    gc.collect()
    assert gone() is None
    nothing()
