"""How calls end that others get wrong: foreign calls, done futures, what was thrown away."""

import asyncio
import copy

import pytest
import seawall


class ForeignCall:
    """An awaitable that takes callbacks and is no future of asyncio's, as grpc's calls are."""

    def add_done_callback(self, callback):
        callback(self)

    def __await__(self):
        raise ConnectionError
        yield


def test_a_foreign_call_is_judged_by_its_await():
    """An awaitable with callbacks of its own kind fails when awaiting it fails."""
    breaker = seawall.CircuitBreaker("foreign", failure_threshold=2)

    async def main():
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await breaker.call(ForeignCall)

    asyncio.run(main())
    assert breaker.state == "open"


def test_a_done_future_is_judged_at_once():
    """A future that is done when it is given back counts, though no loop may ever run again."""
    breaker = seawall.CircuitBreaker("done", failure_threshold=1)
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.set_exception(ConnectionError())
    loop.close()
    assert breaker.call(lambda: future) is future
    assert breaker.state == "open"
    assert isinstance(future.exception(), ConnectionError)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions_are_not_slow(clock, interruption):
    """What interrupts a call says nothing of the callee, however long the call had run."""
    breaker = seawall.CircuitBreaker(
        "interrupted", slow_call_rate=0.5, slow_call_duration=1, min_calls=1
    )

    def interrupted():
        clock.advance(5)
        raise interruption

    with pytest.raises(interruption):
        breaker.call(interrupted)
    assert breaker.state == "closed"
    assert breaker.snapshot().counts["slow"] == 0


def test_a_coroutine_thrown_away_is_not_slow(clock):
    """A suspended coroutine that nobody wanted any more says nothing of the callee."""
    breaker = seawall.CircuitBreaker(
        "dropped", slow_call_rate=0.5, slow_call_duration=1, min_calls=1
    )

    @breaker
    async def forever():
        await asyncio.sleep(0)

    coroutine = forever()
    coroutine.send(None)
    clock.advance(5)
    del coroutine
    assert breaker.state == "closed"
    assert breaker.snapshot().counts["cancelled"] == 1


async def _maybe(*_):
    return False


def _gives(*_):
    yield False


@pytest.mark.parametrize("field", ["on", "ignore", "on_result", "on_event", "open_duration"])
@pytest.mark.parametrize("function", [_maybe, _gives])
def test_callbacks_are_plain_functions(field, function):
    """A coroutine or a generator would be taken for a yes: it is refused."""
    with pytest.raises(seawall.ConfigError, match=field):
        seawall.CircuitBreaker("asks", **{field: function})


def test_what_cannot_be_called_is_not_a_failure():
    """Calling what can't be called is the caller's slip, and no failure of the callee."""
    breaker = seawall.CircuitBreaker("slip", failure_threshold=1)
    with pytest.raises(TypeError, match="42 is not callable"):
        breaker.call(42)
    assert breaker.state == "closed"


@pytest.mark.parametrize("name", ["", 5, None])
def test_a_pipeline_has_a_name(name):
    """A policy in the place of the name would not be passed: it is refused, with all the rest."""
    with pytest.raises(seawall.ConfigError, match=r"name=.*policies\[0\]"):
        seawall.Pipeline(name, 3)
    with pytest.raises(seawall.ConfigError, match="name="):
        seawall.Pipeline(seawall.CircuitBreaker("first"), seawall.CircuitBreaker("second"))


def test_a_copy_is_the_policy():
    """Copies of a policy are the policy, also of one whose name was taken over."""
    old = seawall.CircuitBreaker("copied")
    seawall.CircuitBreaker("copied", replace=True, failure_threshold=1)
    assert copy.copy(old) is old
    assert copy.deepcopy(old) is old
