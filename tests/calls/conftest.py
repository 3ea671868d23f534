"""Breakers whose names collide with nobody's, and calls that run sync and async alike."""

import types

import pytest
import seawall


@types.coroutine
def pause(value=None):
    """Suspends until it is sent something, and answers with that."""
    return (yield value)


def finish(awaitable):
    """Runs an awaitable to its end without an event loop."""
    steps = awaitable.__await__()
    try:
        while True:
            steps.send(None)
    except StopIteration as stop:
        return stop.value


class Sync:
    """Plain functions and their results."""

    name = "sync"

    @staticmethod
    def function(body):
        """A plain function that does what `body` does."""

        def function(*args, **kwargs):
            return body(*args, **kwargs)

        return function

    @staticmethod
    def finish(result):
        """A plain call is finished already."""
        return result


class Async:
    """Coroutine functions and their coroutines, driven by hand."""

    name = "async"

    @staticmethod
    def function(body):
        """A coroutine function that suspends, and then does what `body` does."""

        async def function(*args, **kwargs):
            await pause()
            return body(*args, **kwargs)

        return function

    finish = staticmethod(finish)


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def kind(request):
    """Sync or async: what fits both runs on both."""
    return request.param


@pytest.fixture(autouse=True)
def own_registry():
    """Names taken by a test are free for the next one."""
    with seawall.testing.isolated():
        yield


@pytest.fixture
def breaker():
    """A breaker that opens at the first failure and tries again after 10 s, with one probe."""
    return seawall.CircuitBreaker(
        "tested", failure_threshold=1, open_duration=10, half_open_calls=1
    )


@pytest.fixture
def patient():
    """A breaker that counts and practically never opens."""
    return seawall.CircuitBreaker("patient", failure_threshold=65_000)


@pytest.fixture
def tally():
    """What a breaker has counted, zeroes left out; calls in flight among it."""

    def tally(breaker):
        snapshot = breaker.snapshot()
        counts = {what: count for what, count in snapshot.counts.items() if count}
        return counts | ({"in_flight": snapshot.in_flight} if snapshot.in_flight else {})

    return tally


@pytest.fixture(name="pause")
def pause_fixture():
    """`await pause(value)` suspends once."""
    return pause


@pytest.fixture(name="finish")
def finish_fixture():
    """`finish(awaitable)` runs it to its end."""
    return finish
