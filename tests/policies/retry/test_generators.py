"""Generators are tried again until they have given an item, and never after."""

import gc
import weakref

import pytest
import seawall

from tests.policies.retry.service import counts


def test_until_the_first_item(script):
    """What fails before is made anew; its consumer sees one run of items."""
    body = script(ConnectionError, ConnectionError, None)
    retry = seawall.Retry(backoff=2)

    @retry
    def items(count, *, first):
        body()
        yield from range(first, first + count)
        return "end"

    def consumer():
        return (yield from items(3, first=4))

    run = consumer()
    assert [next(run) for _ in range(3)] == [4, 5, 6]
    with pytest.raises(StopIteration, match="end"):
        next(run)
    assert body.times == [0, 2, 4]
    assert counts(retry) == {"recovered": 1, "retries": 2}


def test_nothing_is_done_before_it_is_asked_for(script):
    """Made and never iterated, it never was a call."""
    body = script(ConnectionError)
    retry = seawall.Retry(backoff=1)

    @retry
    def items():
        body()
        yield 1

    items()
    items().close()
    assert (body.calls, counts(retry)) == (0, {})


def test_what_was_given_is_not_taken_back(script, told):
    """A failure after an item is the consumer's, with a note that says why."""
    body = script(None, ConnectionError)
    retry = seawall.Retry("pages", backoff=1)

    @retry
    def items():
        body()
        yield 1
        body()
        yield 2

    run = items()
    assert next(run) == 1
    with pytest.raises(ConnectionError) as raised:
        next(run)
    assert body.calls == 2
    assert counts(retry) == {"gave_up_begun": 1}
    (note,) = raised.value.__notes__
    assert "items were given already" in note
    (event,) = told
    assert (event.kind, event.why, event.attempts) == ("retry.gave_up", "begun", 1)


def test_all_attempts_fail(script):
    """The last error is the consumer's."""
    body = script(ConnectionError)
    retry = seawall.Retry(backoff=1)

    @retry
    def items():
        body()
        yield 1

    with pytest.raises(ConnectionError):
        next(items())
    assert (body.calls, counts(retry)) == (3, {"gave_up_attempts": 1, "retries": 2})


def test_none_at_all(script):
    """A generator that ends without an item has gone well."""
    body = script(ConnectionError, None)
    retry = seawall.Retry(backoff=1)

    @retry
    def items():
        body()
        yield from ()

    assert list(items()) == []
    assert counts(retry) == {"recovered": 1, "retries": 1}


@pytest.mark.parametrize("leave", ["close", "throw", "drop"])
def test_a_consumer_that_leaves(script, leave):
    """After an item its work was done."""
    body = script(ConnectionError, None)
    retry = seawall.Retry(backoff=1)

    @retry
    def items():
        body()
        yield 1

    run = items()
    next(run)
    assert counts(retry)["in_flight"] == 1
    if leave == "close":
        run.close()
    elif leave == "throw":
        with pytest.raises(KeyError):
            run.throw(KeyError("mine"))
    del run
    assert counts(retry) == {"recovered": 1, "retries": 1}


def test_what_is_sent_arrives(script):
    """The generator of a later attempt is talked to as the first would be."""
    body = script(ConnectionError, None)

    @seawall.Retry(backoff=1)
    def echo():
        body()
        said = yield "ready"
        while True:
            said = yield said

    run = echo()
    assert [next(run), run.send(1), run.send(2)] == ["ready", 1, 2]


def test_the_arguments_are_let_go_at_the_first_item(script):
    """There is no further attempt to keep them for."""
    body = script(ConnectionError, None)

    class Thing:
        """Can be seen to be gone."""

    @seawall.Retry(backoff=1)
    def items(thing):
        body()
        del thing
        yield 1

    thing = Thing()
    gone = weakref.ref(thing)
    run = items(thing)
    del thing
    next(run)
    body.raised.clear()
    gc.collect()
    assert gone() is None


@pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")
def test_the_time_of_a_breaker_around_it(script, clock):
    """From the first attempt on, the consumer's own time left out."""
    slow = seawall.CircuitBreaker(slow_call_rate=1.0, slow_call_duration=10, min_calls=50)

    def run(rest, work):
        body = script(ConnectionError, None)

        @slow
        @seawall.Retry(backoff=5)
        def items():
            body()
            yield 1
            clock.advance(work)

        for _ in items():
            clock.advance(rest)

    run(rest=100, work=1)
    assert slow.snapshot().counts["slow"] == 0
    run(rest=100, work=5)
    assert slow.snapshot().counts["slow"] == 1
