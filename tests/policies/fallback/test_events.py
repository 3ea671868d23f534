"""What a fallback tells."""

import pytest
import seawall

from tests.policies.fallback.calls import Service, answer, broken, down


def facts(event, *names):
    """Some of what an event says."""
    return tuple(getattr(event, name) for name in names)


def test_an_answer_is_told(kind, told):
    """Who gave it, and what it was given for."""
    fallback = seawall.Fallback(broken, answer, name="f")
    kind.run(fallback(kind.function(down)), 1)
    (event,) = told
    assert type(event) is seawall.FallbackUsed
    assert facts(event, "kind", "policy", "name", "key", "seq", "provider", "value") == (
        "fallback.used",
        "fallback",
        "f",
        None,
        1,
        1,
        None,
    )
    assert isinstance(event.error, ConnectionError)


def test_a_value_is_told(kind, told):
    """As other answers; of a refusal with the rejection."""
    breaker = seawall.CircuitBreaker()
    breaker.force_open()
    told.clear()
    kind.run(seawall.fallback(5)(breaker(kind.function(down))))
    (event,) = told
    assert facts(event, "kind", "provider") == ("fallback.used", 0)
    assert isinstance(event.error, seawall.CircuitOpenError)


def test_a_value_that_is_no_good_is_told(kind, told):
    """In the place of an error."""
    kind.run(seawall.fallback(5, on_result=lambda value: value < 0)(kind.function(lambda: -1)))
    (event,) = told
    assert facts(event, "error", "value") == (None, -1)


def test_an_answer_from_memory_is_told(kind, told, clock):
    """How old it was."""
    service = Service()
    protected = seawall.fallback(stale=60, name="f")(kind.function(service))
    kind.run(protected)
    service.error = ConnectionError()
    clock.advance(5)
    kind.run(protected)
    (event,) = told
    assert type(event) is seawall.FallbackStale
    assert facts(event, "kind", "name", "key", "age", "error") == (
        "fallback.stale",
        "f",
        None,
        5.0,
        service.error,
    )


@pytest.mark.parametrize("key", ["ann", ("ann", 1)])
def test_the_key_of_an_answer_is_told(kind, told, key):
    """As the setting ``key`` said it, and only then: arguments are nobody else's business."""
    service = Service()
    protected = seawall.fallback(stale=60, key=lambda user: user)(kind.function(service))
    kind.run(protected, key)
    service.error = ConnectionError()
    kind.run(protected, key)
    assert told[0].key == key


def test_a_failure_is_told(kind, told):
    """With those of the providers, in their order."""
    fallback = seawall.Fallback(broken, lambda _: down())
    with pytest.raises(ConnectionError) as raised:
        kind.run(fallback(kind.function(down)))
    (event,) = told
    assert type(event) is seawall.FallbackFailed
    assert event.kind == "fallback.failed"
    assert event.error is raised.value
    assert [type(failure) for failure in event.failures] == [LookupError, ConnectionError]
    assert event.failures[1] is raised.value.__context__


def test_that_memory_has_nothing_is_told(kind, told):
    """Nobody was asked, and nobody failed."""
    with pytest.raises(ConnectionError):
        kind.run(seawall.fallback(stale=5)(kind.function(down)))
    (event,) = told
    assert facts(event, "kind", "failures") == ("fallback.failed", ())
    assert isinstance(event.error, ConnectionError)


def test_nothing_is_told_of_what_passes(kind, told):
    """Calls that go well, and errors that are not meant."""
    fallback = seawall.Fallback(5, on=OSError)
    kind.run(fallback(kind.function(lambda: 5)))
    with pytest.raises(LookupError):
        kind.run(fallback(kind.function(lambda: broken(None))))
    assert told == []


def test_it_has_a_listener_of_its_own(kind):
    """``on_event``; numbers are in order."""
    heard = []
    fallback = seawall.Fallback(5, on_event=heard.append)
    protected = fallback(kind.function(down))
    for _ in range(3):
        kind.run(protected)
    assert [event.seq for event in heard] == [1, 2, 3]


def test_kinds_can_be_asked_for():
    """All of a fallback's, or one."""
    heard = []
    with seawall.subscribe(heard.append, kinds=["fallback.failed"]):
        seawall.fallback(5)(down)()
        with pytest.raises(ConnectionError):
            seawall.fallback(broken)(down)()
    assert [event.kind for event in heard] == ["fallback.failed"]
