"""Errors keep what they carry, and no frame of ours is added to their traceback."""

import functools
import traceback

import pytest
import seawall

RULES = {
    "count": {"failure_rate": 1.0, "window": seawall.calls(10)},
    "time": {"failure_rate": 1.0, "window": seawall.seconds(60)},
    "slow": {"slow_call_rate": 1.0, "slow_call_duration": 1},
    "streak": {"failure_threshold": 1},
    "judged": {"on_result": bool},
    "predicate": {"on": lambda error: True, "ignore": lambda error: False},
    "listening": {"failure_threshold": 1, "on_event": lambda event: None},
}


class TroubleError(Exception):
    """Something of the user's."""


def frames(error):
    """The names of the functions in an error's traceback, this file's own only."""
    return [
        frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.name != "finish"
    ]


def decorated(policy, function):
    """Decorates."""
    return policy(function)


def stacked(policy, function):
    """Decorates with three policies."""
    others = [seawall.CircuitBreaker(f"other{at}") for at in range(2)]
    return others[0](policy(others[1](function)))


def once(policy, function):
    """Goes through `call`."""
    return functools.partial(policy.call, function)


@pytest.fixture(params=[decorated, stacked, once])
def protect(request):
    """Each way to protect a function."""
    return request.param


@pytest.fixture(params=RULES)
def policy(request):
    """A breaker with each sort of rule."""
    return seawall.CircuitBreaker("ruled", **RULES[request.param])


def test_caller_and_function_and_nothing_else(policy, protect, kind):
    """The traceback of an error holds its caller and the function, and the very same error."""
    error = TroubleError("mine")

    def body():
        raise error

    def caller():
        return kind.finish(protect(policy, kind.function(body))())

    with pytest.raises(TroubleError) as raised:
        caller()
    assert raised.value is error
    assert frames(error)[1:] == ["caller", "function", "body"]


def test_async_frames_of_an_awaiter(policy, finish):
    """Awaited from a coroutine, the awaiter's frame stands right above the function's."""

    @policy
    async def function():
        raise TroubleError

    async def awaiter():
        await function()

    with pytest.raises(TroubleError) as raised:
        finish(awaiter())
    assert frames(raised.value)[1:] == ["awaiter", "function"]


def test_a_thrown_error(policy, pause):
    """An error thrown in rises with the function's frame and no other."""

    @policy
    async def function():
        await pause()

    coroutine = function()
    coroutine.send(None)
    error = TroubleError("thrown")
    with pytest.raises(TroubleError) as raised:
        coroutine.throw(error)
    assert raised.value is error
    assert frames(error)[1:] == ["function", "pause"]


def test_cause_context_and_notes(policy, protect, kind):
    """`raise … from …`, the context, the suppression and the notes arrive as they left."""
    made = []

    def body():
        try:
            raise KeyError("first")
        except KeyError as first:
            made.append(first)
            error = TroubleError("second")
            error.add_note("a note")
            error.own = 1
            raise error from LookupError("cause")

    with pytest.raises(TroubleError) as raised:
        kind.finish(protect(policy, kind.function(body))())
    error = raised.value
    assert error.__context__ is made[0]
    assert isinstance(error.__cause__, LookupError)
    assert error.__suppress_context__
    assert error.__notes__ == ["a note"]
    assert error.own == 1


def test_context_of_an_error_raised_while_handling_another(policy, protect, kind):
    """An error raised by a call that is made while another is handled has that as its context."""

    def body():
        raise TroubleError

    def handle():
        try:
            raise KeyError("outer")
        except KeyError:
            kind.finish(protect(policy, kind.function(body))())

    with pytest.raises(TroubleError) as raised:
        handle()
    assert isinstance(raised.value.__context__, KeyError)


def test_context_of_a_rejection(protect, kind):
    """A rejection while another error is handled has that one as its context, like any raise."""
    policy = seawall.CircuitBreaker("shut")
    policy.force_open()
    function = protect(policy, kind.function(int))

    def handle():
        try:
            raise KeyError("outer")
        except KeyError:
            kind.finish(function())

    with pytest.raises(seawall.CircuitOpenError) as raised:
        handle()
    assert isinstance(raised.value.__context__, KeyError)
    with pytest.raises(seawall.CircuitOpenError) as raised:
        kind.finish(function())
    assert raised.value.__context__ is None


def test_a_rejection_shows_its_caller_alone(protect, kind):
    """A rejection's traceback ends at the caller, and has neither cause nor context."""
    policy = seawall.CircuitBreaker("shut")
    policy.force_open()

    def caller():
        kind.finish(protect(policy, kind.function(int))())

    with pytest.raises(seawall.CircuitOpenError) as raised:
        caller()
    assert frames(raised.value)[1:] == ["caller"]
    assert raised.value.__cause__ is None


def test_every_rejection_is_its_own(protect, kind):
    """The same exception is never raised twice, so no traceback grows."""
    policy = seawall.CircuitBreaker("shut")
    policy.force_open()
    protected = protect(policy, kind.function(int))
    refused = []
    for _ in range(20):
        with pytest.raises(seawall.CircuitOpenError) as raised:
            kind.finish(protected())
        refused.append(raised.value)
    assert len({id(error) for error in refused}) == 20
    assert {tuple(frames(error)) for error in refused} == {tuple(frames(refused[0]))}


def test_a_shared_error_grows_no_faster_than_bare(policy, protect, kind):
    """An error object raised again and again carries exactly what a bare call gives it."""

    def lengths(function, error):
        found = []
        for _ in range(3):
            with pytest.raises(TroubleError):
                kind.finish(function(error))
            found.append(len(frames(error)))
            seawall.registry.find("breaker", "ruled").reset()
        return found

    def body(error):
        raise error

    bare = kind.function(body)
    assert lengths(protect(policy, bare), TroubleError()) == lengths(bare, TroubleError())


def test_groups_pass_whole(policy, kind):
    """An exception group arrives as it is, for `except*`."""

    def body():
        raise ExceptionGroup("both", [TroubleError("one"), KeyError("two")])

    seen = []
    try:
        kind.finish(policy(kind.function(body))())
    except* TroubleError as group:
        seen.append(group.exceptions[0].args)
    except* KeyError as group:
        seen.append(group.exceptions[0].args)
    assert seen == [("one",), ("two",)]


def swallow(error):
    """Re-raises what it is asked about and swallows that, while it handles another."""
    try:
        raise KeyError("other")
    except KeyError:
        try:
            raise error
        except TroubleError:
            return True


def let_out(error):
    """Re-raises what it is asked about, while it handles another."""
    try:
        raise KeyError("other")
    except KeyError:
        raise error  # noqa: B904 -- the context is what is looked at


@pytest.mark.parametrize("predicate", [swallow, let_out])
@pytest.mark.parametrize("rule", ["on", "ignore"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_predicates_leave_no_trace(protect, kind, rule, predicate, monkeypatch):
    """A predicate that raises its error again adds no frame and no context to it."""
    monkeypatch.setattr("sys.unraisablehook", lambda report: None)
    policy = seawall.CircuitBreaker("ruled", **{rule: predicate})

    def body():
        raise TroubleError("mine")

    def caller():
        return kind.finish(protect(policy, kind.function(body))())

    with pytest.raises(TroubleError) as raised:
        caller()
    assert frames(raised.value)[1:] == ["caller", "function", "body"]
    assert raised.value.__context__ is None


def test_predicates_leave_no_trace_on_a_returned_error(protect, kind):
    """Nor does one that is asked about a result that is an error."""
    policy = seawall.CircuitBreaker("ruled", on_result=swallow)
    error = TroubleError("mine")
    assert kind.finish(protect(policy, kind.function(lambda: error))()) is error
    assert error.__traceback__ is None
    assert error.__context__ is None


def test_errors_of_predicates_do_not_reach_the_call(kind):
    """A predicate that fails is reported to the interpreter; the call's own error is untouched."""
    import sys

    def broken(_):
        raise RuntimeError("predicate")

    reported = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda report: reported.append(report.exc_value)
    try:
        for settings in ({"on": broken}, {"ignore": broken}):
            policy = seawall.CircuitBreaker(**settings)

            def body():
                raise TroubleError("mine")

            with pytest.raises(TroubleError, match="mine") as raised:
                kind.finish(policy(kind.function(body))())
            assert raised.value.__context__ is None
        assert kind.finish(seawall.CircuitBreaker(on_result=broken)(kind.function(int))()) == 0
    finally:
        sys.unraisablehook = hook
    assert [str(error) for error in reported] == ["predicate"] * 3
