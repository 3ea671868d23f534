"""`call` and `try_call`: one protected call, without decorating anything."""

import asyncio
import gc
import inspect
import weakref

import pytest
import seawall


def fail():
    """Fails."""
    raise OSError("ill")


@pytest.mark.parametrize("way", ["call", "try_call"])
def test_arguments_arrive_unchanged(patient, kind, way):
    """Arguments of every sort arrive, names that the method itself might use included."""
    function = kind.function(lambda *args, **kwargs: (args, kwargs))
    kwargs = {"function": 1, "self": 2, "name": 3, "plan": 4}
    result = kind.finish(getattr(patient, way)(function, 1, 2, **kwargs))
    if way == "try_call":
        result = result.unwrap()
    assert result == ((1, 2), kwargs)


@pytest.mark.parametrize("way", ["call", "try_call"])
def test_without_a_function(patient, tally, way):
    """The missing function is missed."""
    for args in ((), ()):
        with pytest.raises(TypeError, match="the function to call is missing"):
            getattr(patient, way)(*args, key=1)
    assert tally(patient) == {}


def test_call_hands_on(patient, tally, kind):
    """`call` returns what the function returns and raises what it raises."""
    assert kind.finish(patient.call(kind.function(lambda: 7))) == 7
    with pytest.raises(OSError, match="ill"):
        kind.finish(patient.call(kind.function(fail)))
    assert tally(patient) == {"success": 1, "failure": 1}


def test_call_refuses(breaker, kind):
    """`call` raises the rejection of an open circuit, and runs nothing."""
    ran = []
    breaker.force_open()
    with pytest.raises(seawall.CircuitOpenError) as refused:
        kind.finish(breaker.call(kind.function(lambda: ran.append(1))))
    assert (refused.value.name, refused.value.policy) == ("tested", "breaker")
    assert ran == []


def test_a_good_outcome(patient, kind, clock):
    """An outcome of a value says so, and how long it took."""

    def body():
        clock.advance(1.5)
        return 7

    outcome = kind.finish(patient.try_call(kind.function(body)))
    assert outcome.ok
    assert outcome.value == outcome.unwrap() == 7
    assert (outcome.error, outcome.rejected) == (None, None)
    assert (outcome.attempts, outcome.elapsed) == (1, 1.5)
    assert (outcome.stale, outcome.hedged) == (False, False)
    assert repr(outcome) == "Outcome(value=7)"


def test_a_good_outcome_of_none(patient, kind):
    """None is a value."""
    outcome = kind.finish(patient.try_call(kind.function(lambda: None)))
    assert outcome.ok
    assert outcome.unwrap() is None


def test_a_bad_outcome(patient, tally, kind, clock):
    """An outcome of an error holds the very exception, and `unwrap` raises it."""
    error = OSError("ill")

    def body():
        clock.advance(2)
        raise error

    outcome = kind.finish(patient.try_call(kind.function(body)))
    assert not outcome.ok
    assert outcome.error is error
    assert (outcome.value, outcome.rejected) == (None, None)
    assert (outcome.attempts, outcome.elapsed) == (1, 2.0)
    assert repr(outcome) == "Outcome(error=OSError('ill'))"
    with pytest.raises(OSError, match="ill") as raised:
        outcome.unwrap()
    assert raised.value is error
    assert tally(patient) == {"failure": 1}


def test_a_refused_outcome(breaker, tally, kind, clock):
    """An outcome of a refusal has run nothing and says when to try again."""
    ran = []
    breaker.force_open()
    breaker.reset()
    kind.finish(breaker.try_call(kind.function(fail)))
    clock.advance(4)
    outcome = kind.finish(breaker.try_call(kind.function(lambda: ran.append(1))))
    assert not outcome.ok
    assert ran == []
    assert outcome.rejected is outcome.error
    assert isinstance(outcome.rejected, seawall.CircuitOpenError)
    assert outcome.rejected.retry_after == 6.0
    assert (outcome.attempts, outcome.elapsed, outcome.value) == (0, 0.0, None)
    assert repr(outcome).startswith("Outcome(rejected=CircuitOpenError('tested', 6.0")
    assert tally(breaker) == {"failure": 1, "rejected": 1}


def test_the_rejection_is_made_when_asked_for(breaker, kind):
    """No exception is made for a refused `try_call` until somebody looks; each has its own."""
    breaker.force_open()
    made = []
    original = seawall.CircuitOpenError.__init__

    def count(self, *args):
        made.append(args)
        original(self, *args)

    seawall.CircuitOpenError.__init__ = count
    try:
        one, two = (kind.finish(breaker.try_call(kind.function(fail))) for _ in range(2))
        assert made == []
        assert one.rejected is not two.rejected
        assert one.rejected is one.rejected
        assert len(made) == 2
    finally:
        del seawall.CircuitOpenError.__init__


def test_unwrap_of_a_refusal_raises_afresh(breaker):
    """Each `unwrap` of a refusal raises an exception of its own."""
    breaker.force_open()
    outcome = breaker.try_call(fail)
    raised = []
    for _ in range(2):
        with pytest.raises(seawall.CircuitOpenError) as refused:
            outcome.unwrap()
        raised.append(refused.value)
    assert raised[0] is not raised[1]
    assert outcome.rejected not in raised


def test_unwrap_does_not_grow_the_traceback(patient):
    """Unwrapping an error again and again starts from the function's own traceback each time."""
    outcome = patient.try_call(fail)

    def length():
        with pytest.raises(OSError, match="ill") as raised:
            outcome.unwrap()
        return len(raised.tb and list(frames(raised.tb)))

    assert length() == length() == length()


def frames(traceback):
    """The frames of a traceback."""
    while traceback:
        yield traceback.tb_frame.f_code.co_name
        traceback = traceback.tb_next


def test_unwrap_shows_where_it_was_raised(patient):
    """The traceback of an unwrapped error ends in the function that raised it."""
    outcome = patient.try_call(fail)
    with pytest.raises(OSError, match="ill") as raised:
        outcome.unwrap()
    names = list(frames(raised.tb))
    assert names == ["test_unwrap_shows_where_it_was_raised", "fail"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_passes_through(patient, tally, kind, error):
    """`try_call` never swallows an interrupt, an exit or a close."""

    def body():
        raise error

    with pytest.raises(error):
        kind.finish(patient.try_call(kind.function(body)))
    assert tally(patient) == {"cancelled": 1}


def test_cancellation_passes_through(patient, tally):
    """A cancelled `try_call` is a cancelled task, not an outcome."""

    async def main():
        task = asyncio.ensure_future(patient.try_call(asyncio.Event().wait))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert tally(patient) == {"cancelled": 1}


def test_try_call_of_a_coroutine_function_is_a_coroutine(patient, tally):
    """It asks no policy before its first step, and warns as usual if nobody awaits it."""

    async def function():
        return 7

    coroutine = patient.try_call(function)
    assert tally(patient) == {}
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert stop.value.value.value == 7
    with pytest.warns(RuntimeWarning, match="never awaited"):
        patient.try_call(function)
    assert tally(patient) == {"success": 1}


def test_thrown_errors_are_captured(patient, tally, pause):
    """An error thrown into a running `try_call` ends in an outcome, like one raised inside."""

    async def function():
        await pause()

    coroutine = patient.try_call(function)
    coroutine.send(None)
    with pytest.raises(StopIteration) as stop:
        coroutine.throw(OSError("thrown"))
    assert str(stop.value.value.error) == "thrown"
    assert tally(patient) == {"failure": 1}


def test_a_value_that_is_an_exception(patient, kind):
    """A returned exception is a value."""
    error = OSError("returned")
    outcome = kind.finish(patient.try_call(kind.function(lambda: error)))
    assert (outcome.ok, outcome.value) == (True, error)
    assert outcome.unwrap() is error


def test_outcomes_are_frozen(patient):
    """Nothing of an outcome can be changed or added."""
    outcome = patient.try_call(int)
    for name in ("ok", "value", "error", "attempts", "new"):
        with pytest.raises(AttributeError):
            setattr(outcome, name, 1)


def test_a_pipeline_does_the_same(breaker, patient, tally, kind):
    """`call` and `try_call` of a pipeline pass all of its policies."""
    guard = seawall.Pipeline("both", patient, breaker)
    assert kind.finish(guard.call(kind.function(lambda: 7))) == 7
    assert kind.finish(guard.try_call(kind.function(fail))).error.args == ("ill",)
    refused = kind.finish(guard.try_call(kind.function(fail)))
    assert refused.rejected.name == "tested"
    assert tally(breaker) == {"success": 1, "failure": 1, "rejected": 1}
    assert tally(patient) == {"success": 1, "failure": 1, "ignored": 1}


def test_a_protected_function_may_be_called(breaker, patient, tally, kind):
    """`call` of a decorated function passes both, the method's policy outside."""
    protected = breaker(kind.function(lambda: 7))
    assert kind.finish(patient.call(protected)) == 7
    assert tally(patient) == tally(breaker) == {"success": 1}


def test_signatures(patient):
    """Both methods tell their signature and what they do."""
    for method in (patient.call, patient.try_call):
        assert str(inspect.signature(method)) == "(function, /, *args, **kwargs)"
        assert method.__doc__


def test_an_outcome_keeps_no_cycle(breaker):
    """A frame that holds an outcome, whose error holds the frame, is collected."""

    class Local:
        pass

    def unwrap(outcome):
        local = Local()
        try:
            outcome.unwrap()
        except (OSError, seawall.Rejected):
            return weakref.ref(local)
        return None

    def look(outcome):
        local = Local()
        try:
            raise outcome.error
        except (OSError, seawall.Rejected):
            return weakref.ref(local)

    failed = breaker.try_call(fail)
    refused = breaker.try_call(fail)
    assert refused.rejected
    gone = [way(outcome) for way in (unwrap, look) for outcome in (failed, refused)]
    del failed, refused
    gc.collect()
    assert [reference() for reference in gone] == [None] * 4
