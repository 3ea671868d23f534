"""Answers from memory: the last good one, if it is young enough."""

import asyncio
import contextlib
import datetime
import gc
import weakref
from pathlib import Path

import pytest
import seawall

from tests.policies.fallback.calls import Service, answer, broken, counts


@pytest.fixture
def service():
    """Answers, or fails as it is told."""
    return Service()


def failing(service):
    """It fails from now on."""
    service.error = ConnectionError("down")


def test_the_last_good_answer_is_given(kind, service):
    """The object itself, when the call fails."""
    fallback = seawall.Fallback(stale=60)
    protected = fallback(kind.function(service))
    for given in (["first"], ["second"]):
        service.given = given
        assert kind.run(protected, 1) is given
    failing(service)
    assert kind.run(protected, 1) is given
    assert counts(fallback) == {"success": 2, "stale": 1}
    assert fallback.snapshot().remembered == 1


def test_none_is_an_answer(kind, service):
    """Remembered as others are."""
    fallback = seawall.Fallback(stale=60)
    protected = fallback(kind.function(lambda *_: service() and None))
    assert kind.run(protected) is None
    failing(service)
    assert kind.run(protected) is None
    assert counts(fallback) == {"success": 1, "stale": 1}


def test_it_is_given_until_it_is_too_old(kind, service, clock):
    """Counted from when the service gave it; up to ``stale`` seconds, and not one moment longer."""
    protected = seawall.Fallback(stale=datetime.timedelta(minutes=1))(kind.function(service))
    kind.run(protected, 1)
    failing(service)
    clock.advance(60)
    assert kind.run(protected, 1) == ((1,), {})
    clock.advance(0.001)
    with pytest.raises(ConnectionError):
        kind.run(protected, 1)


def test_giving_it_makes_it_no_younger(kind, service, clock):
    """Its age is that of the service's answer."""
    protected = seawall.Fallback(stale=60)(kind.function(service))
    kind.run(protected)
    failing(service)
    clock.advance(40)
    kind.run(protected)
    clock.advance(40)
    with pytest.raises(ConnectionError):
        kind.run(protected)


def test_a_good_call_is_not_answered_from_memory(kind, service):
    """It is no cache: the service is asked each time."""
    protected = seawall.Fallback(stale=60)(kind.function(service))
    kind.run(protected)
    kind.run(protected)
    assert service.calls == 2


def test_memory_comes_before_the_providers(kind, service):
    """What the service itself has said is nearer to the truth; they are asked if there is none."""
    fallback = seawall.Fallback(answer, stale=60)
    protected = fallback(kind.function(service))
    kind.run(protected, 1)
    failing(service)
    assert kind.run(protected, 1) == ((1,), {})
    error, arguments, _ = kind.run(protected, 2)
    assert isinstance(error, ConnectionError)
    assert arguments == (2,)
    assert counts(fallback) == {"success": 1, "stale": 1, "used": 1}


def test_what_others_answered_is_not_remembered(kind, service, clock):
    """Neither a provider's answer, nor one of a fallback further in."""
    outer = seawall.Fallback(stale=60)
    with pytest.warns(seawall.CompositionWarning):
        guard = seawall.Pipeline("p", outer, seawall.Fallback("default", stale=10))
    protected = guard(kind.function(service))
    failing(service)
    assert kind.run(protected) == "default"
    assert outer.snapshot().remembered == 0
    service.error = None
    kind.run(protected)
    failing(service)
    clock.advance(5)
    kind.run(protected)
    clock.advance(57)
    # Were the answer of 57 s ago remembered that was 5 s old then, it would be given.
    assert kind.run(protected) == "default"


def test_what_is_no_good_is_not_remembered(kind, service):
    """By ``on_result``; the last good answer is given in its place."""
    fallback = seawall.Fallback(stale=60, on_result=lambda value: value == "bad")
    protected = fallback(kind.function(service))
    service.given = "good"
    kind.run(protected)
    service.given = "bad"
    assert kind.run(protected) == "good"
    assert kind.run(protected) == "good"


def test_without_memory_the_error_is_the_callers(kind, service):
    """Its own, to which nothing is added: nobody was asked."""
    fallback = seawall.Fallback(stale=60)
    failing(service)
    with pytest.raises(ConnectionError) as raised:
        kind.run(fallback(kind.function(service)))
    assert raised.value.__context__ is None
    assert counts(fallback) == {"failed": 1}


def test_outcomes_say_so(kind, service):
    """`Outcome.stale`: of an answer from memory, and of no other."""
    fallback = seawall.Fallback("default", stale=60)
    function = kind.function(service)
    assert not kind.run(fallback.try_call, function, 1).stale
    failing(service)
    outcome = kind.run(fallback.try_call, function, 1)
    assert (outcome.ok, outcome.stale, outcome.value) == (True, True, ((1,), {}))
    outcome = kind.run(fallback.try_call, function, 2)
    assert (outcome.ok, outcome.stale, outcome.value) == (True, False, "default")


def test_outcomes_say_so_of_pipelines(kind, service):
    """The outermost fallback that answered says what the answer is."""
    inner = seawall.Fallback(stale=60, on=ConnectionError)
    outer = seawall.Fallback("outer", on_result=lambda value: value == "bad")
    with pytest.warns(seawall.CompositionWarning):
        guard = seawall.Pipeline("p", outer, seawall.Retry(backoff=1), inner)
    function = kind.function(service)
    service.given = "bad"
    kind.run(inner.try_call, function)
    failing(service)
    outcome = kind.run(guard.try_call, function)
    assert (outcome.value, outcome.stale) == ("outer", False)
    service.error, service.given = None, "good"
    kind.run(guard.try_call, function)
    failing(service)
    outcome = kind.run(guard.try_call, function)
    assert (outcome.value, outcome.stale) == ("good", True)


def test_refused_calls_are_answered_from_memory(kind, service):
    """What a breaker keeps from the service is what memory is for."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    protected = seawall.Fallback(stale=60)(breaker(kind.function(service)))
    kind.run(protected)
    breaker.force_open()
    assert kind.run(protected) == ((), {})
    assert service.calls == 1


@pytest.mark.parametrize(
    "value",
    [
        iter(()),
        (item for item in ()),
        Path(__file__).open("rb"),  # noqa: SIM115  closed at the end of the test
        map(str, ()),
    ],
)
def test_what_can_be_used_once_is_not_remembered(value, service):
    """An iterator, say: the second caller would find it empty."""
    service.given = value
    fallback = seawall.Fallback(stale=60)
    protected = fallback(service)
    assert protected() is value
    failing(service)
    with pytest.raises(ConnectionError):
        protected()
    assert counts(fallback) == {"success": 1, "unkept": 1, "failed": 1}
    if hasattr(value, "close"):
        value.close()


def test_what_is_awaited_is_not_remembered():
    """Neither the awaitable of a plain function, nor what awaiting it gives: its caller awaits."""
    fallback = seawall.Fallback(stale=60)
    error = None

    async def client():
        if error:
            raise error
        return 5

    protected = fallback(lambda: client())

    async def main():
        nonlocal error
        assert await protected() == 5
        error = ConnectionError()
        with pytest.raises(ConnectionError):
            await protected()

    asyncio.run(main())
    assert counts(fallback) == {"success": 1, "unkept": 1, "failed": 1}


def test_memory_is_bounded(service):
    """As many as ``max_keys`` are kept; one that is asked for all the time stays."""
    fallback = seawall.Fallback(stale=60, max_keys=10)
    protected = fallback(service)
    protected("often")
    for number in range(1000):
        protected(number)
        protected("often")
        assert fallback.snapshot().remembered <= 10
    failing(service)
    assert protected("often") == (("often",), {})
    found = 0
    for number in range(1000):
        with contextlib.suppress(ConnectionError):
            found += protected(number) == ((number,), {})
    assert found == 9


def test_answers_are_let_go_of(service):
    """With their place in memory: pushed out, or forgotten."""

    class Answer:
        pass

    fallback = seawall.Fallback(stale=60, max_keys=1)
    protected = fallback(service)
    seen = []
    for number in range(3):
        service.given = Answer()
        protected(number)
        seen.append(weakref.ref(service.given))
    service.given = None
    gc.collect()
    assert [ref() is None for ref in seen] == [True, True, False]
    fallback.forget()
    gc.collect()
    assert seen[2]() is None
    failing(service)
    with pytest.raises(ConnectionError):
        protected(2)


def test_a_fallback_that_nobody_has_is_freed_with_what_it_remembers():
    """Also where the answer leads back to the function."""

    def make():
        @seawall.fallback(broken, stale=60)
        def function(value):
            return answer

        answer = [function]
        function(1)
        return weakref.ref(function)

    ref = make()
    gc.collect()
    assert ref() is None


def test_new_ages_hold_for_what_is_remembered(service, clock):
    """`reconfigure` keeps the answers."""
    fallback = seawall.Fallback(stale=60)
    protected = fallback(service)
    protected()
    failing(service)
    clock.advance(100)
    with pytest.raises(ConnectionError):
        protected()
    fallback.reconfigure(stale=200)
    assert protected() == ((), {})
