"""Which outcomes are successes, failures, or neither."""

import asyncio
import concurrent.futures
import signal

import pytest
import seawall


class Timeout(Exception):
    """A failure of the callee."""


class NotFound(Exception):
    """An answer."""


def test_every_exception_counts_by_default(service):
    """Without `on`, what is an `Exception` is a failure."""
    it = service()
    it.fail(error=NotFound)
    it.fail(error=TimeoutError)
    assert it.counts == {"failure": 2}


@pytest.mark.parametrize("on", [Timeout, (Timeout, OSError), [Timeout], {Timeout}])
def test_on_names_what_counts(service, on):
    """Exceptions that `on` does not name are successes: the callee has answered."""
    it = service(on=on, failure_threshold=2)
    it.fail(error=Timeout)
    it.fail(error=NotFound)
    it.fail(error=Timeout)
    assert it.counts == {"failure": 2, "success": 1}
    assert it.state == "closed"


def test_on_counts_subclasses(service):
    """As in an `except` clause."""
    it = service(on=OSError)
    it.fail(error=ConnectionResetError)
    assert it.counts == {"failure": 1}


def test_on_may_be_a_predicate(service):
    """A predicate is asked about each exception, and gets the very object."""
    seen = []
    it = service(on=lambda error: seen.append(error) or isinstance(error, Timeout))
    it.fail(error=Timeout)
    it.fail(error=NotFound)
    assert it.counts == {"failure": 1, "success": 1}
    assert [type(error) for error in seen] == [Timeout, NotFound]


def test_nothing_counts_if_on_is_empty(service):
    """An empty `on` is taken at its word."""
    it = service(on=())
    it.fail(30)
    assert it.counts == {"success": 30}


@pytest.mark.parametrize("ignore", [NotFound, (NotFound,), lambda e: isinstance(e, NotFound)])
def test_ignore_is_neither(service, ignore):
    """An ignored exception is neither success nor failure, and fills no window."""
    it = service(ignore=ignore, min_calls=1, failure_rate=0.1)
    it.fail(30, error=NotFound)
    assert (it.counts, it.window) == ({"ignored": 30}, 0)


def test_ignore_comes_before_on(service):
    """What both name is ignored."""
    it = service(on=Exception, ignore=NotFound)
    it.fail(error=NotFound)
    assert it.counts == {"ignored": 1}


def test_on_result_makes_a_value_a_failure(service):
    """A returned value that the predicate names is a failure, and still returned."""
    it = service(on_result=lambda value: value is None, failure_threshold=2)
    answer = object()
    assert it.call(answer) is answer
    assert it.call(None) is None
    assert it.call(None) is None
    assert it.state == "open"
    assert it.counts == {"success": 1, "failure": 2}


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit]
)
def test_what_interrupts_is_no_outcome(service, error):
    """An interruption or a cancellation says nothing about the callee, even if all would count."""
    it = service(failure_threshold=1, on=lambda error: True)
    it.fail(error=error)
    assert (it.state, it.counts) == ("closed", {"cancelled": 1})


def test_the_cancellation_of_a_future_is_a_cancellation(service):
    """That of `concurrent.futures` inherits from Exception, and is none by meaning."""
    it = service(failure_threshold=1)
    it.fail(error=concurrent.futures.CancelledError)
    assert it.counts == {"cancelled": 1}


def test_a_slow_cancelled_call_was_slow(service, clock):
    """A call that was cancelled after it was slow already counts as slow, and may open."""
    it = service(slow_call_rate=1.0, slow_call_duration=2, min_calls=2)
    for wait, window in [(1, 0), (2, 1), (3, 0)]:
        flight = it.begin()
        clock.advance(wait)
        flight.end(asyncio.CancelledError())
        assert it.window == window
    assert it.state == "open"
    assert it.counts == {"cancelled": 3, "slow": 2}


def test_our_own_refusals_are_neutral(service):
    """A refusal by a policy further in says nothing about the callee."""
    it = service(failure_threshold=1)
    inner = seawall.CircuitBreaker("inner")
    inner.force_open()
    call = it.breaker(inner(lambda: None))
    with pytest.raises(seawall.CircuitOpenError):
        call()
    with pytest.raises(seawall.CircuitOpenError):
        it.call(seawall.CircuitOpenError("elsewhere", None, "open"))
    assert (it.state, it.counts) == ("closed", {"ignored": 2})


@pytest.mark.parametrize("on", [seawall.Rejected, (OSError, seawall.CircuitOpenError)])
def test_refusals_that_are_listed_count(service, on):
    """Unless `on` lists their class."""
    it = service(on=on)
    inner = seawall.CircuitBreaker("inner")
    inner.force_open()
    call = it.breaker(inner(lambda: None))
    with pytest.raises(seawall.CircuitOpenError):
        call()
    with pytest.raises(seawall.CircuitOpenError):
        it.call(seawall.CircuitOpenError("elsewhere", None, "open"))
    assert it.counts == {"failure": 2}


@pytest.mark.parametrize("on", [Exception, (Exception,), seawall.SeawallError, lambda e: True])
def test_refusals_are_not_listed_by_accident(service, on):
    """A wider class, or a predicate that says yes to everything, does not list them."""
    it = service(on=on)
    with pytest.raises(seawall.CircuitOpenError):
        it.call(seawall.CircuitOpenError("elsewhere", None, "open"))
    assert it.counts == {"ignored": 1}


def broken(_):
    """A predicate with a mistake in it."""
    raise ZeroDivisionError("in the predicate")


@pytest.mark.parametrize(
    ("settings", "counts"),
    [({"on": broken}, {"failure": 1}), ({"ignore": broken}, {"failure": 1})],
)
def test_a_predicate_that_raises_harms_no_failing_call(service, unraisable, settings, counts):
    """It is reported, and the exception counts as it would without the predicate."""
    it = service(**settings)
    it.fail()
    assert it.counts == counts
    assert [type(error) for error in unraisable] == [ZeroDivisionError]


def test_a_predicate_that_raises_harms_no_value(service, unraisable):
    """A broken `on_result` is reported, and the value is returned as a success."""
    it = service(on_result=broken)
    assert it.call(5) == 5
    assert it.counts == {"success": 1}
    assert [type(error) for error in unraisable] == [ZeroDivisionError]


def test_an_answer_without_truth_is_reported(service, unraisable):
    """A predicate whose answer is neither true nor false counts as one that raised."""

    class Both:
        def __bool__(self):
            raise ValueError("ambiguous")

    it = service(on_result=lambda _: Both())
    it.call(1)
    assert it.counts == {"success": 1}
    assert [str(error) for error in unraisable] == ["ambiguous"]


def test_ctrl_c_in_a_predicate_is_not_lost(service, unraisable):
    """An interrupt that falls into a predicate is raised again, once the call is settled."""

    def predicate(_):
        signal.raise_signal(signal.SIGINT)
        return False

    it = service(on_result=predicate)

    def call():
        it.call(1)
        for _ in range(1000):
            pass

    with pytest.raises(KeyboardInterrupt):
        call()
    assert it.counts["success"] >= 1
    assert unraisable == []
