"""Which ends are tried again."""

import asyncio
import concurrent.futures
import sys

import pytest
import seawall
import trio
import trio.lowlevel

from tests.policies.retry.service import counts


class ServiceError(Exception):
    """An error of the callee's own."""


class StatusError(Exception):
    """An answer of a status."""

    def __init__(self, status):
        """Of that status."""
        super().__init__(status)
        self.status_code = status


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (ConnectionError, 3),
        (TimeoutError, 3),
        (StatusError(503), 3),
        (StatusError(404), 1),
        (ValueError, 1),
        (ServiceError, 1),
    ],
)
def test_by_default_what_is_transient(kind, script, error, calls):
    """Without `on`, what `transient` takes for an affair of the moment; nothing else."""
    body = script(error)
    with pytest.raises(Exception, match=r"down|503|404"):
        kind.run(seawall.retry(kind.function(body)))
    assert body.calls == calls


@pytest.mark.parametrize(
    "on", [ServiceError, (KeyError, ServiceError), lambda error: isinstance(error, ServiceError)]
)
def test_on_says_which(kind, script, on):
    """Classes with their subclasses, or a predicate. Then nothing else is."""
    for error, calls in ((ServiceError, 3), (ConnectionError, 1)):
        body = script(error)
        with pytest.raises(error):
            kind.run(seawall.Retry(on=on)(kind.function(body)))
        assert body.calls == calls


@pytest.mark.parametrize(
    "ignore", [ServiceError, [ServiceError], lambda error: type(error) is ServiceError]
)
def test_ignore_outweighs_on(kind, script, ignore):
    """What is ignored goes to the caller at once."""
    body = script(ServiceError)
    retry = seawall.Retry(on=Exception, ignore=ignore)
    with pytest.raises(ServiceError):
        kind.run(retry(kind.function(body)))
    assert (body.calls, counts(retry)) == (1, {"passed": 1})


def test_another_kind_of_error_later_ends_it(kind, script):
    """Each attempt is judged for itself: the second failed for good."""
    body = script(ConnectionError, ValueError)
    retry = seawall.Retry()
    with pytest.raises(ValueError, match="down"):
        kind.run(retry(kind.function(body)))
    assert (body.calls, counts(retry)) == (2, {"passed": 1, "retries": 1})


def test_results_that_ask_for_another(kind, script):
    """`on_result` is asked about each value; the last one is returned, good or not."""
    retry = seawall.Retry(on_result=lambda value: value < 3)
    body = script(1, 2, 3, 4)
    assert kind.run(retry(kind.function(body))) == 3
    body = script(1, 2, 0, 4)
    assert kind.run(retry(kind.function(body))) == 0
    assert body.calls == 3
    assert counts(retry) == {"recovered": 1, "gave_up_attempts": 1, "retries": 4}


def test_without_on_result_nobody_looks_at_results(kind, script):
    """A value that would be transient as an error is a value."""
    body = script(StatusError(503).status_code, 1)
    assert kind.run(seawall.retry(kind.function(body))) == 503


def test_results_and_errors_are_both_tried_again(kind, script):
    """In one call."""
    body = script(ConnectionError, None, 1)
    retry = seawall.Retry(on_result=lambda value: value is None)
    assert kind.run(retry(kind.function(body))) == 1
    assert body.calls == 3


@pytest.mark.parametrize("asked", ["on", "ignore", "on_result"])
def test_a_predicate_that_fails_is_reported(kind, script, unraisable, asked):
    """An error of the predicate's own takes nobody's place; `on` counts it, the others don't."""

    def predicate(outcome):
        raise RuntimeError("mistake")

    body = script(ConnectionError, 1)
    retry = seawall.Retry(**{asked: predicate})
    assert kind.run(retry(kind.function(body))) == 1
    assert body.calls == 2
    assert {str(error) for error in unraisable} == {"mistake"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("on", [Exception, lambda error: True], ids=["class", "predicate"])
def test_what_ends_a_program_is_never_tried_again(script, error, on):
    """Whatever `on` says."""
    body = script(error)
    retry = seawall.Retry(on=on)
    with pytest.raises(error):
        retry.call(body)
    assert (body.calls, counts(retry)) == (1, {"passed": 1})


@pytest.mark.parametrize("error", [asyncio.CancelledError, concurrent.futures.CancelledError])
def test_cancellation_that_is_raised_is_never_tried_again(kind, script, error):
    """Neither a task's nor a future's, though the latter is an `Exception`."""
    body = script(error)
    with pytest.raises(error):
        kind.run(seawall.Retry(on=lambda _: True)(kind.function(body)))
    assert body.calls == 1


@pytest.mark.parametrize("when", ["working", "waiting"])
def test_a_cancelled_task_is_cancelled(script, when):
    """Cancellation is not swallowed, nor tried again, in an attempt or between: tenacity #529."""
    body = script(ConnectionError)
    began = []

    async def work():
        began.append(1)
        if when == "working":
            await asyncio.Event().wait()
        return body()

    retry = seawall.Retry(on=lambda _: True, backoff=60)

    async def main():
        task = asyncio.create_task(retry(work)())
        while not began:
            await asyncio.sleep(0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await task
        assert task.cancelled()

    with seawall.testing.clock():
        asyncio.run(main())
    assert len(began) == 1
    assert counts(retry).keys() <= {"passed", "retries"}


@pytest.mark.parametrize("when", ["working", "waiting"])
def test_a_cancelled_scope_is_cancelled(script, when):
    """As above, by a scope of trio's."""
    body = script(ConnectionError)
    began = []

    async def work():
        began.append(1)
        if when == "working":
            await trio.sleep_forever()
        return body()

    retry = seawall.Retry(on=lambda _: True, backoff=60)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(retry(work))
            while not began:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        assert nursery.cancel_scope.cancelled_caught

    with seawall.testing.clock():
        trio.run(main)
    assert len(began) == 1
    assert counts(retry).keys() <= {"passed", "retries"}


def test_a_wait_that_is_broken_off_is_no_attempt(script):
    """An error that ends the waiting, a signal handler's say, is raised, whatever `on` says."""
    body = script(ConnectionError)
    retry = seawall.Retry(on=Exception, backoff=60, attempts=5)

    class AlarmError(Exception):
        """A time limit of the worker's, as Celery's."""

    def alarm(seconds):
        raise AlarmError

    work = retry(body)
    with seawall.testing.clock() as clock, pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(clock), "sleep", lambda self, seconds: alarm(seconds))
        with pytest.raises(AlarmError):
            work()
    assert body.calls == 1
    assert counts(retry) == {"passed": 1}


def test_a_task_whose_wait_is_broken_off(script):
    """As above, by what is thrown into a coroutine that waits."""
    body = script(ConnectionError)
    retry = seawall.Retry(on=Exception, backoff=60, attempts=5)

    async def work():
        return body()

    async def main():
        call = retry(work)()
        call.send(None)
        with pytest.raises(ZeroDivisionError):
            call.throw(ZeroDivisionError("thrown"))
        with pytest.raises(RuntimeError, match="already awaited"):
            call.send(None)

    with seawall.testing.clock():
        asyncio.run(main())
    assert body.calls == 1
    assert counts(retry) == {"passed": 1}


def open_circuit():
    """A breaker that rejects."""
    breaker = seawall.CircuitBreaker("shut")
    breaker.force_open()
    return breaker


def test_rejections_are_not_tried_again(kind, script):
    """What an open breaker inside rejects ends the call, in one plan or called from the body."""
    breaker = open_circuit()
    retry = seawall.Retry(on=lambda _: True)
    body = script(1)
    inner = breaker(kind.function(body))
    outer = retry(breaker(kind.function(body)))

    async def awaits():
        return await inner()

    for work in (outer, retry(awaits if kind.awaits else lambda: inner())):
        with pytest.raises(seawall.CircuitOpenError):
            kind.run(work)
    assert body.calls == 0
    assert counts(retry) == {"passed": 2}


@pytest.mark.parametrize("listed", [seawall.Rejected, seawall.CircuitOpenError])
def test_listed_rejections_are_tried_again(kind, script, listed):
    """By class; then the call waits for as long as the circuit says."""
    breaker = seawall.CircuitBreaker("tripped", failure_threshold=1, open_duration=5)
    body = script(ValueError, 7)
    work = kind.function(body)
    with pytest.raises(ValueError, match="down"):
        kind.run(breaker(work))
    retry = seawall.Retry(on=listed, backoff=3, attempts=4)
    assert kind.run(retry(breaker(work))) == 7
    assert body.times == [0, 5]
    assert counts(retry) == {"recovered": 1, "retries": 1}


def test_exception_groups_by_their_members(kind, script):
    """A group is transient if all of it is; one with a cancellation inside never is."""
    retry = seawall.Retry()
    good = script(ExceptionGroup("both", [ConnectionError(), TimeoutError()]), 1)
    assert kind.run(retry(kind.function(good))) == 1
    bad = script(ExceptionGroup("both", [ConnectionError(), KeyError()]))
    with pytest.raises(ExceptionGroup):
        kind.run(retry(kind.function(bad)))
    worst = script(BaseExceptionGroup("both", [ConnectionError(), asyncio.CancelledError()]))
    with pytest.raises(BaseExceptionGroup):
        kind.run(seawall.Retry(on=lambda _: True)(kind.function(worst)))
    assert (good.calls, bad.calls, worst.calls) == (2, 1, 1)


def test_a_stack_that_is_used_up_is_not_used_up_again(unraisable):
    """Where not even the predicate finds room to run, the error of that is no reason to try again.

    Each level would make further attempts, each of which would fill the stack anew.
    """
    calls = 0
    retry = seawall.Retry(backoff=0)

    @retry
    def deeper():
        nonlocal calls
        calls += 1
        return deeper()

    with pytest.raises(RecursionError):
        deeper()
    assert calls <= sys.getrecursionlimit()
    assert retry.snapshot().counts["retries"] == 0
    assert unraisable == []
