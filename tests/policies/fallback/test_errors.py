"""The error that a caller gets if nothing answers: the call's own, and how the providers failed."""

import contextlib
import traceback

import pytest
import seawall

from tests.policies.fallback.calls import broken, counts, down


def row(error):
    """The errors that ``__context__`` leads to, in order."""
    found = []
    while (error := error.__context__) is not None:
        assert error not in found
        found.append(error)
    return found


def caught(kind, protected, *arguments):
    """What a call raises."""
    try:
        kind.run(protected, *arguments)
    except Exception as error:
        return error
    return None


def test_the_original_error_is_raised(kind):
    """The very object, with the provider's error as its context."""
    original, other = ConnectionError("down"), LookupError("nobody")

    def fail(error):
        raise error

    fallback = seawall.Fallback(lambda error: fail(other))
    error = caught(kind, fallback(kind.function(lambda: fail(original))))
    assert error is original
    assert error.__context__ is other
    assert counts(fallback) == {"failed": 1}


def test_every_failure_of_a_chain_can_be_reached(kind):
    """The last one first, and the context that the error had itself at the end."""
    failures = [LookupError(number) for number in range(3)]

    def provider(number):
        def ask(error):
            raise failures[number]

        return ask

    def service():
        try:
            raise KeyError("cause")
        except KeyError:
            raise ConnectionError("down")  # noqa: B904  the context is what is looked at

    protected = seawall.fallback(*map(provider, range(3)))(kind.function(service))
    error = caught(kind, protected)
    *found, last = row(error)
    assert found == failures[::-1]
    assert isinstance(last, KeyError)


def test_the_context_that_a_provider_gives_its_error_is_kept(kind):
    """What it handled when it raised."""

    def provider(error):
        try:
            raise KeyError("inside")
        except KeyError:
            raise LookupError("outside")  # noqa: B904  the context is what is looked at

    error = caught(kind, seawall.fallback(provider, broken)(kind.function(down)))
    assert [type(it) for it in row(error)] == [LookupError, LookupError, KeyError]


def test_a_provider_may_raise_what_it_was_given(kind):
    """Nothing is added, and no error is its own context."""

    def provider(error):
        raise error

    def chained(error):
        raise LookupError("other") from error

    def handled(error):
        try:
            raise error
        except ConnectionError:
            raise ValueError("other")  # noqa: B904  the context is what is looked at

    error = caught(kind, seawall.fallback(provider)(kind.function(down)))
    assert row(error) == []
    error = caught(kind, seawall.fallback(provider, chained, handled)(kind.function(down)))
    assert [type(it) for it in row(error)] == [ValueError, LookupError]
    traceback.format_exception(error)


def test_tracebacks_are_left_as_they_were(kind):
    """The original's shows where the call failed, and not what providers did with it."""

    def provider(error):
        with contextlib.suppress(ConnectionError):
            raise error
        raise LookupError

    seen = caught(kind, kind.function(down))
    error = caught(kind, seawall.fallback(provider)(kind.function(down)))

    def names(error):
        return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    assert names(error) == names(seen)
    assert names(error.__context__)[-1] == "provider"


def test_an_error_raised_again_and_again_does_not_grow(kind):
    """Neither the call's, nor a provider's, nor what hangs on them."""
    original, first, second = ConnectionError(), LookupError(), ValueError()

    def fail(error):
        # Python adds to the traceback of an error with each raise.
        raise error.with_traceback(None)

    def handling(error):
        try:
            raise KeyError
        except KeyError:
            raise error.with_traceback(None)  # noqa: B904  the context is what is looked at

    protected = seawall.fallback(lambda _: fail(first), lambda _: handling(second))(
        kind.function(lambda: fail(original))
    )
    rows, lengths = [], []
    for _ in range(5):
        error = caught(kind, protected)
        assert error is original
        rows.append([type(it) for it in row(error)])
        lengths.append(len(traceback.extract_tb(error.__traceback__)))
    assert rows == [[ValueError, KeyError, LookupError]] * 5
    assert len(set(lengths)) == 1


def test_a_providers_error_of_many_calls_does_not_grow(kind):
    """One object of a provider's, raised for an error that is new each time."""
    same = LookupError()

    def provider(error):
        raise same.with_traceback(None)

    def service():
        try:
            raise KeyError
        except KeyError:
            raise ConnectionError  # noqa: B904  the context is what is looked at

    protected = seawall.fallback(provider)(kind.function(service))
    errors = [caught(kind, protected) for _ in range(5)]
    assert len(set(map(id, errors))) == 5
    for error in errors[-1:]:
        assert [type(it) for it in row(error)] == [LookupError, KeyError]


def test_a_frozen_error_is_raised_all_the_same(kind):
    """One that lets nobody set an attribute."""

    class Frozen(Exception):
        def __setattr__(self, name, value):
            raise AttributeError(name)

    def service():
        raise Frozen

    error = caught(kind, seawall.fallback(broken)(kind.function(service)))
    assert isinstance(error, Frozen)
    assert isinstance(error.__context__, LookupError)


def test_a_refusal_is_an_error_like_others(kind):
    """What the breaker said, with how the provider failed."""
    breaker = seawall.CircuitBreaker()
    breaker.force_open()
    error = caught(kind, seawall.fallback(broken)(breaker(kind.function(down))))
    assert isinstance(error, seawall.CircuitOpenError)
    assert isinstance(error.__context__, LookupError)


def test_listeners_may_raise_what_they_are_told(kind):
    """It adds nothing to the caller's error."""

    def listen(event):
        with contextlib.suppress(ConnectionError):
            raise event.error

    seen = caught(kind, kind.function(down))
    error = caught(kind, seawall.fallback(broken, on_event=listen)(kind.function(down)))
    assert len(traceback.extract_tb(error.__traceback__)) == len(
        traceback.extract_tb(seen.__traceback__)
    )


def test_what_is_handled_around_the_call_is_no_failure(kind):
    """A call made in an except block: its error has the context that Python gave it, once."""
    protected = seawall.fallback(broken)(kind.function(down))
    for _ in range(2):
        try:
            raise KeyError("around")
        except KeyError:
            with pytest.raises(ConnectionError) as raised:
                kind.run(protected)
        found = row(raised.value)
        assert isinstance(found[0], LookupError)
        assert [type(it) for it in found].count(KeyError) <= 1
