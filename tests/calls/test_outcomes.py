"""An `Outcome` is the end of a call, and can be awaited like what it may come in place of."""

import asyncio
import inspect

import pytest
import seawall


async def work():
    """Suspends and returns."""
    await asyncio.sleep(0)
    return 7


def test_an_outcome_can_be_awaited(patient):
    """Awaiting an Outcome gives itself, at once: whoever awaits `try_call` need not look first."""

    async def main():
        outcome = patient.try_call(work)
        assert (await outcome).value == 7
        plain = patient.try_call(int)
        assert await plain is plain
        assert await plain is plain
        patient.force_open()
        for refused in (patient.try_call(lambda: work()), patient.try_call(int)):
            assert isinstance(refused, seawall.Outcome)
            assert (await refused).rejected.name == "patient"
            assert await asyncio.ensure_future(refused) is refused
            assert await asyncio.wait_for(refused, 1) is refused
            assert await asyncio.gather(refused, work()) == [refused, 7]

    asyncio.run(main())
    assert inspect.isawaitable(patient.try_call(int))


def test_an_outcome_awaited_by_hand(patient, finish):
    """Its iterator ends with it, and stays at its end."""
    outcome = patient.try_call(int)
    steps = outcome.__await__()
    assert iter(steps) is steps
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value is outcome
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value is None
    assert finish(outcome) is outcome
    steps = outcome.__await__()
    with pytest.raises(OSError, match="ill"):
        steps.throw(OSError("ill"))
    steps.close()
    with pytest.raises(StopIteration):
        steps.send(None)


def test_an_outcome_is_a_result(patient, tally):
    """A plain function that returns an Outcome has ended: it is not waited for."""
    other = seawall.CircuitBreaker("other")

    @patient
    def function():
        return other.try_call(int)

    outcome = function()
    assert isinstance(outcome, seawall.Outcome)
    assert tally(patient) == {"success": 1}
    outer = patient.try_call(lambda: other.try_call(int))
    assert isinstance(outer.value, seawall.Outcome)
    assert outer.value.value == 0
    assert tally(patient) == {"success": 2}
