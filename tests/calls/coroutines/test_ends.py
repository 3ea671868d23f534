"""However a protected coroutine ends, its call is settled once."""

import asyncio
import gc

import pytest
import seawall


def test_nothing_happens_before_the_first_step(waiting, patient, tally):
    """Making the coroutine asks no policy; the first step takes the permit."""
    coroutine = waiting()
    assert tally(patient) == {}
    assert coroutine.send(None) == "paused"
    assert tally(patient) == {"in_flight": 1}
    with pytest.raises(StopIteration) as stop:
        coroutine.send("sent")
    assert stop.value.value == "sent"
    assert tally(patient) == {"success": 1}


def end_by_return(coroutine):
    """Returns."""
    with pytest.raises(StopIteration):
        coroutine.send(1)


def end_by_throw(coroutine):
    """Raises what is thrown."""
    with pytest.raises(ValueError, match="thrown"):
        coroutine.throw(ValueError("thrown"))


def end_by_cancel(coroutine):
    """Is cancelled."""
    with pytest.raises(asyncio.CancelledError):
        coroutine.throw(asyncio.CancelledError())


def end_by_close(coroutine):
    """Is closed."""
    coroutine.close()


@pytest.mark.parametrize(
    ("end", "counted"),
    [
        (end_by_return, "success"),
        (end_by_throw, "failure"),
        (end_by_cancel, "cancelled"),
        (end_by_close, "cancelled"),
    ],
)
def test_every_end_gives_the_permit_back(waiting, patient, tally, end, counted):
    """Return, raise, cancel, close: each settles the call exactly once."""
    coroutine = waiting()
    coroutine.send(None)
    end(coroutine)
    assert tally(patient) == {counted: 1}
    coroutine.close()
    del coroutine
    gc.collect()
    assert tally(patient) == {counted: 1}


def test_dropped_while_suspended(waiting, patient, tally):
    """A suspended coroutine whose last reference goes gives its permit back at once."""
    coroutine = waiting()
    coroutine.send(None)
    del coroutine
    assert tally(patient) == {"cancelled": 1}


def test_dropped_in_a_cycle(waiting, patient, tally):
    """A suspended coroutine in a reference cycle gives its permit back when it is collected."""
    coroutine = waiting()
    coroutine.send(None)
    cycle = [coroutine]
    cycle.append(cycle)
    del coroutine, cycle
    assert tally(patient) == {"in_flight": 1}
    gc.collect()
    assert tally(patient) == {"cancelled": 1}


def test_dropped_while_an_exception_is_passing(waiting, patient, tally):
    """Dropping a suspended coroutine during the handling of an error leaves that error alone."""

    def drop():
        coroutine = waiting()
        coroutine.send(None)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as raised:
        drop()
    del raised
    gc.collect()
    assert tally(patient) == {"cancelled": 1}


def test_inner_finally_runs_inside_the_admission(patient, tally, pause):
    """Closing and dropping run the function's `finally` before the permit goes back."""
    seen = []

    @patient
    async def function():
        try:
            await pause()
        finally:
            seen.append(tally(patient))

    for end in (lambda c: c.close(), lambda c: None):
        coroutine = function()
        coroutine.send(None)
        end(coroutine)
        del coroutine
    assert [counts["in_flight"] for counts in seen] == [1, 1]
    assert tally(patient) == {"cancelled": 2}


def test_a_result_while_closing_is_still_a_close(patient, tally, pause):
    """A function that answers GeneratorExit by returning was closed, not successful."""

    @patient
    async def function():
        try:
            await pause()
        except GeneratorExit:
            return 7

    coroutine = function()
    coroutine.send(None)
    assert coroutine.close() is None
    assert tally(patient) == {"cancelled": 1}


def test_an_error_while_closing_is_raised(patient, tally, pause):
    """An error from the function's clean-up rises out of `close`, and counts."""

    @patient
    async def function():
        try:
            await pause()
        finally:
            raise OSError("clean-up")

    coroutine = function()
    coroutine.send(None)
    with pytest.raises(OSError, match="clean-up"):
        coroutine.close()
    assert tally(patient) == {"failure": 1}


def test_swallowed_cancellation_is_the_result(patient, tally, pause):
    """A function that catches what is thrown and returns has succeeded."""

    @patient
    async def function():
        try:
            await pause()
        except asyncio.CancelledError:
            return "caught"

    coroutine = function()
    coroutine.send(None)
    with pytest.raises(StopIteration) as stop:
        coroutine.throw(asyncio.CancelledError)
    assert stop.value.value == "caught"
    assert tally(patient) == {"success": 1}


def test_swallowed_and_suspended_again(patient, tally, pause):
    """A throw that the function survives leaves it in flight."""

    @patient
    async def function():
        try:
            await pause()
        except ValueError:
            return await pause("again")

    coroutine = function()
    coroutine.send(None)
    assert coroutine.throw(ValueError) == "again"
    assert tally(patient) == {"in_flight": 1}
    with pytest.raises(StopIteration):
        coroutine.send(1)
    assert tally(patient) == {"success": 1}


@pytest.mark.parametrize("begun", [True, False])
def test_stop_iteration_raised_inside_is_a_runtime_error(patient, tally, begun, pause):
    """A StopIteration that the function raises is turned into RuntimeError, and counts."""

    @patient
    async def function():
        if begun:
            await pause()
        raise StopIteration(3)

    coroutine = function()
    if begun:
        coroutine.send(None)
    with pytest.raises(RuntimeError, match="coroutine raised StopIteration"):
        coroutine.send(None)
    assert tally(patient) == {"failure": 1}


def test_never_awaited_is_said_once_by_the_inner_one(waiting):
    """A coroutine that nobody awaits warns as a bare one does, and only once."""
    with pytest.warns(RuntimeWarning) as told:
        waiting()
    [warning] = told
    assert "waiting' was never awaited" in str(warning.message)


def test_a_rejected_one_warns_nothing(waiting, patient, tally):
    """A rejection closes the inner coroutine that never began. (Warnings are errors here.)."""
    patient.force_open()
    coroutine = waiting()
    with pytest.raises(seawall.CircuitOpenError):
        coroutine.send(None)
    del coroutine
    gc.collect()
    assert tally(patient) == {"rejected": 1}


def test_a_rejected_one_is_done(waiting, patient, finish):
    """A rejected coroutine can't be awaited again, even when the circuit has closed."""
    patient.force_open()
    coroutine = waiting()
    with pytest.raises(seawall.CircuitOpenError):
        finish(coroutine)
    patient.reset()
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        finish(coroutine)
