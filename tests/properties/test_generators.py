"""A protected generator behaves as the bare one, whatever is done with it, and gives all back."""

import contextlib
import gc
import random
import types

import pytest
import seawall

SCRIPTS = 1500


class TroubleError(Exception):
    """A consumer's."""


class FaultError(Exception):
    """A generator's own."""


@types.coroutine
def pause(value):
    """Suspends once."""
    return (yield value)


def body(chance):
    """The moves of a generator, the same for the bare and the protected one: a list of acts."""
    acts = ["yield", "yield", "yield", "handle", "swallow", "from", "raise", "ignore", "again"]
    return [(chance.choice(acts), chance.randrange(100)) for _ in range(chance.randrange(6))]


def sync(moves, end, told, me):
    """A generator that follows `moves`."""

    def inner(value):
        try:
            told.append((yield value))
        finally:
            told.append("inner finally")
        return value

    try:
        for act, value in moves:
            if act == "yield":
                told.append((yield value))
            elif act == "handle":
                try:
                    yield value
                except TroubleError as error:
                    told.append(repr(error))
            elif act == "swallow":
                with contextlib.suppress(TroubleError, GeneratorExit):
                    yield value
            elif act == "from":
                told.append((yield from inner(value)))
            elif act == "raise":
                if value < 40:
                    raise FaultError(value)
            elif act == "again":
                try:
                    next(me[0])
                except Exception as error:
                    told.append(repr(error))
            else:
                try:
                    yield value
                except GeneratorExit:
                    yield "ignored"
        return end
    except TroubleError as error:
        told.append("trouble")
        if end == "other":
            raise FaultError from error
        raise
    finally:
        told.append("finally")
        if end == "fault":
            raise FaultError(end)


async def later(moves, end, told, me):
    """An async generator that follows `moves`."""
    try:
        for act, value in moves:
            if act == "yield":
                told.append((yield value))
            elif act == "from":
                told.append(await pause(value))
            elif act == "handle":
                try:
                    await pause(value)
                    yield value
                except TroubleError as error:
                    told.append(repr(error))
            elif act == "swallow":
                with contextlib.suppress(TroubleError, GeneratorExit):
                    yield value
            elif act == "raise":
                if value < 40:
                    raise FaultError(value)
            elif act == "again":
                try:
                    await me[0].__anext__()
                except Exception as error:
                    told.append(repr(error))
            else:
                try:
                    yield value
                except GeneratorExit:
                    await pause("ignored")
    except TroubleError as error:
        told.append("trouble")
        if end == "other":
            raise FaultError from error
        raise
    finally:
        told.append("finally")
        await pause("last")
        if end == "fault":
            raise FaultError(end)


@pytest.fixture(params=["untimed", "timed"])
def patient(request):
    """A breaker that counts and practically never opens; one of them wants to know the time."""
    slow = {"slow_call_duration": 60, "slow_call_rate": 1.0, "min_calls": 65_000}
    slow["window"] = seawall.calls(65_000)
    settings = slow if request.param == "timed" else {"failure_threshold": 65_000}
    with seawall.testing.isolated():
        yield seawall.CircuitBreaker("patient", **settings)


def attempt(told, act, *arguments):
    """Does it, and says what came of it."""
    try:
        told.append(("gave", act(*arguments)))
    except BaseException as error:
        told.append((type(error), str(error), type(error.__cause__), getattr(error, "value", None)))


def use(script, generator, told):
    """Does what `script` says with a generator."""
    for act, value in script:
        if act == "next":
            attempt(told, next, generator)
        elif act == "send":
            attempt(told, generator.send, value)
        elif act == "throw":
            attempt(told, generator.throw, TroubleError(value))
        elif act == "throw class":
            attempt(told, generator.throw, TroubleError)
        elif act == "throw nothing":
            attempt(told, generator.throw, value)
        elif act == "exit":
            attempt(told, generator.throw, GeneratorExit())
        elif act == "close":
            attempt(told, generator.close)
        told.append(generator.gi_frame is None)
    told.append("dropped")


SYNC = ["next"] * 6 + ["send", "throw", "throw class", "throw nothing", "exit", "close"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", range(3))
def test_a_generator(patient, seed):
    """Items, exceptions, messages and the order of the last words are those of a bare generator."""
    chance = random.Random(seed)
    protected = patient(sync)
    for number in range(SCRIPTS):
        moves = body(chance)
        end = chance.choice([None, None, 7, (1,), "fault", "other"])
        script = [(chance.choice(SYNC), chance.choice([None, 1])) for _ in range(6)]
        heard = []
        for function in (sync, protected):
            told, me = [], []
            me.append(function(moves, end, told, me))
            use(script, me[0], told)
            me.clear()
            heard.append(told)
        assert heard[0] == heard[1], (number, moves, end, script)
        assert patient.snapshot().in_flight == 0, (number, moves, end, script)
    # What fails as it is collected says so here, and not in another's test.
    gc.collect()


def use_later(script, generator, told):
    """Does what `script` says with an async generator. Steps may overlap and be given up."""
    steps = []
    for act, value in script:
        if act == "step" and steps:
            attempt(told, steps[-1].send, value)
        elif act == "other step" and steps:
            attempt(told, steps[0].send, None)
        elif act == "finish" and steps:
            for _ in range(9):
                attempt(told, steps[-1].send, None)
                if told[-1][0] != "gave":
                    break
        elif act == "throw" and steps:
            attempt(told, steps[-1].throw, TroubleError(value))
        elif act == "end" and steps:
            attempt(told, steps[-1].close)
        elif act == "forget" and steps:
            del steps[-1]
        elif act == "anext":
            steps.append(generator.__anext__())
        elif act == "asend":
            steps.append(generator.asend(value))
        elif act == "athrow":
            steps.append(generator.athrow(TroubleError(value)))
        elif act == "aclose":
            steps.append(generator.aclose())
        told.append((generator.ag_frame is None, generator.ag_running))
    told.append("dropped")


ASYNC = ["anext"] * 4 + ["finish"] * 6
ASYNC += ["step", "step", "other step", "asend", "athrow", "aclose", "throw", "end", "forget"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:.*was never awaited:RuntimeWarning")
@pytest.mark.parametrize("seed", range(3))
def test_an_async_generator(patient, seed):
    """The same of an async generator, its steps overlapping and given up at any point."""
    chance = random.Random(seed)
    protected = patient(later)
    for number in range(SCRIPTS):
        moves = body(chance)
        end = chance.choice([None, None, "fault", "other"])
        script = [(chance.choice(ASYNC), chance.choice([None, None, 1])) for _ in range(10)]
        heard = []
        for function in (later, protected):
            told, me = [], []
            me.append(function(moves, end, told, me))
            use_later(script, me[0], told)
            me.clear()
            heard.append(told)
        assert heard[0] == heard[1], (number, moves, end, script)
        if patient.snapshot().in_flight:
            gc.collect()
        assert patient.snapshot().in_flight == 0, (number, moves, end, script)
    # What fails as it is collected says so here, and not in another's test.
    gc.collect()
