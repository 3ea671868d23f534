"""Blocks: `with policy:` and `async with policy:` protect what is inside of them."""

import asyncio
import contextlib
import inspect
import pydoc
from unittest import mock

import pytest
import seawall


class TroubleError(Exception):
    """A failure."""


class With:
    """Plain blocks."""

    name = "with"
    manager = contextlib.AbstractContextManager
    stack = contextlib.ExitStack
    halves = ("__enter__", "__exit__")

    @staticmethod
    async def inside(guard, body):
        """Runs `body` with what the block gives."""
        with guard as value:
            return body(value)

    @staticmethod
    async def enter(stack, guard):
        """Enters by a stack."""
        return stack.enter_context(guard)

    @staticmethod
    async def close(stack):
        """Closes a stack."""
        stack.close()

    @staticmethod
    async def by_hand(half, *told):
        """Calls one half."""
        return half(*told)


class AsyncWith(With):
    """Asynchronous blocks."""

    name = "async with"
    manager = contextlib.AbstractAsyncContextManager
    stack = contextlib.AsyncExitStack
    halves = ("__aenter__", "__aexit__")

    @staticmethod
    async def inside(guard, body):
        """Runs `body` with what the block gives."""
        async with guard as value:
            return body(value)

    @staticmethod
    async def enter(stack, guard):
        """Enters by a stack."""
        return await stack.enter_async_context(guard)

    @staticmethod
    async def close(stack):
        """Closes a stack."""
        await stack.aclose()

    @staticmethod
    async def by_hand(half, *told):
        """Calls one half and awaits what it gives."""
        return await half(*told)


@pytest.fixture(params=[With, AsyncWith], ids=["with", "async"])
def way(request):
    """What fits both runs on both."""
    return request.param


@pytest.fixture(params=["policy", "pipeline"])
def guard(request, patient):
    """A breaker that counts, bare or in a pipeline."""
    return patient if request.param == "policy" else seawall.Pipeline("one", patient)


def fail(_):
    """Fails."""
    raise TroubleError


NONE = (None, None, None)


def test_a_good_end_is_a_success(way, guard, patient, tally, finish):
    """A block that is left without an exception is a success; its value is the guard."""
    assert finish(way.inside(guard, lambda value: value)) is guard
    assert tally(patient) == {"success": 1}


def test_a_block_has_no_result_to_judge(way, finish, tally):
    """`on_result` is not asked: a block has no result."""
    breaker = seawall.CircuitBreaker("judging", on_result=lambda _: True)
    finish(way.inside(breaker, lambda _: None))
    assert tally(breaker) == {"success": 1}


def test_it_is_in_flight_while_inside(way, guard, patient, tally, finish):
    """What is inside of a block is in flight."""
    inside = finish(way.inside(guard, lambda _: tally(patient)))
    assert inside == {"in_flight": 1}


def test_an_exception_is_judged_and_goes_on(way, guard, patient, tally, finish):
    """An exception is judged like a call's, and never swallowed nor touched."""
    error = TroubleError("inside")

    def body(_):
        raise error

    with pytest.raises(TroubleError) as caught:
        finish(way.inside(guard, body))
    assert caught.value is error
    assert error.__context__ is None
    assert [entry.name for entry in caught.traceback][-2:] == ["inside", "body"]
    assert tally(patient) == {"failure": 1}


@pytest.mark.parametrize("neutral", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions_are_neutral(way, guard, patient, tally, finish, neutral):
    """What is not an `Exception` counts as cancelled."""

    def body(_):
        raise neutral

    with pytest.raises(neutral):
        finish(way.inside(guard, body))
    assert tally(patient) == {"cancelled": 1}


def test_a_refused_block_does_not_run(way, breaker, tally, finish):
    """An open circuit raises from the `with` line; nothing is held."""
    breaker.force_open()
    ran = []
    for _ in range(2):
        with pytest.raises(seawall.CircuitOpenError) as caught:
            finish(way.inside(breaker, ran.append))
        assert caught.traceback[-1].name == "inside"
    assert ran == []
    assert tally(breaker) == {"rejected": 2}


def test_a_refusal_further_in_gives_back_what_was_held(way, patient, breaker, tally, finish):
    """A pipeline whose inner policy refuses holds nothing of the outer one."""
    breaker.force_open()
    with pytest.raises(seawall.CircuitOpenError):
        finish(way.inside(seawall.Pipeline("two", patient, breaker), fail))
    assert tally(patient) == {"ignored": 1}


def test_leaving_by_other_ways(guard, patient, tally):
    """`return`, `break` and `continue` leave a block well."""

    def function():
        with guard:
            return 1

    for _ in range(2):
        with guard:
            continue
    while True:
        with guard:
            break
    assert function() == 1
    assert tally(patient) == {"success": 4}


def test_nested_blocks_have_tickets_of_their_own(way, guard, patient, tally, finish):
    """A guard may be entered again inside of its own block."""

    def deeper(_, depth=5):
        if depth == 0:
            raise TroubleError
        with contextlib.suppress(TroubleError):
            finish(way.inside(guard, lambda value: deeper(value, depth - 1)))

    deeper(None)
    assert tally(patient) == {"failure": 1, "success": 4}


def test_two_guards_in_one_statement(patient, tally):
    """`with a, b:` enters both, also when both are one."""
    other = seawall.CircuitBreaker("other")
    with patient, other, patient:
        assert (tally(patient), tally(other)) == ({"in_flight": 2}, {"in_flight": 1})
    assert (tally(patient), tally(other)) == ({"success": 2}, {"success": 1})


def test_a_block_in_a_generator(guard, patient, tally):
    """A block that is suspended in a generator is in flight; closing the generator is neutral."""

    def items():
        with guard:
            yield 1
            yield 2

    assert list(items()) == [1, 2]
    one, two = items(), items()
    assert next(one) + next(two) == 2
    assert tally(patient) == {"success": 1, "in_flight": 2}
    one.close()
    with pytest.raises(TroubleError):
        two.throw(TroubleError())
    assert tally(patient) == {"success": 1, "cancelled": 1, "failure": 1}


def test_calls_inside_of_a_probes_block_ride_on_it(way, breaker, clock, finish):
    """What is called inside of a probe's block is part of the probe; what comes after is not."""
    breaker.try_call(fail, None)
    clock.advance(11)

    def body(_):
        assert breaker.state == "half_open"
        assert breaker.call(lambda: "rides") == "rides"
        assert finish(way.inside(breaker, lambda _: "rides too")) == "rides too"

    finish(way.inside(breaker, body))
    assert breaker.state == "closed"


def test_a_failed_probe_opens_again(way, breaker, clock, finish):
    """The exception of a probe's block is the probe's."""
    breaker.try_call(fail, None)
    clock.advance(11)
    with pytest.raises(TroubleError):
        finish(way.inside(breaker, fail))
    assert breaker.state == "open"


def test_a_stack_keeps_entries_apart(way, patient, tally, finish):
    """`ExitStack` enters and exits like the statement, the same guard many times."""

    async def main():
        stack = way.stack()
        for _ in range(3):
            assert await way.enter(stack, patient) is patient
        assert tally(patient) == {"in_flight": 3}
        kept = stack.pop_all()
        await way.close(stack)
        assert tally(patient) == {"in_flight": 3}
        await way.close(kept)
        assert tally(patient) == {"success": 3}

    finish(main())


def test_a_stack_tells_of_exceptions(patient, tally):
    """What is raised under a stack is judged."""

    def function():
        with contextlib.ExitStack() as stack:
            stack.enter_context(patient)
            raise TroubleError

    with pytest.raises(TroubleError):
        function()
    assert tally(patient) == {"failure": 1}


def test_a_stack_that_is_refused_holds_nothing(way, breaker, tally, finish):
    """Entering an open circuit by a stack raises, and leaves nothing on it."""
    breaker.force_open()

    async def main():
        stack = way.stack()
        with pytest.raises(seawall.CircuitOpenError):
            await way.enter(stack, breaker)
        await way.close(stack)

    finish(main())
    assert tally(breaker) == {"rejected": 1}


def test_a_stack_closed_in_another_task(way, patient, tally):
    """A stack may be closed by another task than the one that filled it."""

    async def main():
        stack = way.stack()
        other = way.stack()
        await asyncio.create_task(way.enter(stack, patient))
        await asyncio.create_task(way.enter(other, patient))
        await asyncio.create_task(way.close(stack))
        assert tally(patient) == {"success": 1, "in_flight": 1}
        await asyncio.create_task(way.close(other))

    asyncio.run(main())
    assert tally(patient) == {"success": 2}


def test_it_is_a_context_manager_by_type(way, guard):
    """The abstract classes recognise a guard."""
    assert isinstance(guard, way.manager)


def test_a_guard_is_still_a_decorator(patient, tally):
    """Being a context manager takes nothing from decorating."""
    assert patient(lambda: 1)() == 1
    assert tally(patient) == {"success": 1}


def test_entered_by_hand(way, guard, patient, tally, finish):
    """`__enter__()` and `__exit__()` by hand come to the same, nested too."""
    enter, leave = way.halves

    async def main():
        assert await way.by_hand(getattr(guard, enter)) is guard
        await way.by_hand(getattr(guard, enter))
        error = TroubleError()
        told = (TroubleError, error, None)
        assert not await way.by_hand(getattr(guard, leave), *told)
        assert tally(patient) == {"failure": 1, "in_flight": 1}
        assert not await way.by_hand(getattr(guard, leave), *NONE)

    finish(main())
    assert tally(patient) == {"failure": 1, "success": 1}


def test_by_hand_around_a_block(guard, patient, tally):
    """A block inside of an entry made by hand exits its own."""
    guard.__enter__()
    with pytest.raises(TroubleError), guard:
        raise TroubleError
    assert tally(patient) == {"failure": 1, "in_flight": 1}
    guard.__exit__(*NONE)
    assert tally(patient) == {"failure": 1, "success": 1}


def test_an_exit_without_an_entry_is_refused(way, guard, patient, tally, finish):
    """Exiting what is not entered by hand says so, and takes nothing from a block around it."""
    _, leave = way.halves

    async def exit_too_much(_=None):
        with pytest.raises(RuntimeError, match="is not entered"):
            await way.by_hand(getattr(guard, leave), *NONE)

    finish(exit_too_much())
    finish(way.inside(guard, lambda _: finish(exit_too_much())))
    finish(way.by_hand(getattr(guard, way.halves[0])))
    finish(way.by_hand(getattr(guard, leave), *NONE))
    finish(exit_too_much())
    assert tally(patient) == {"success": 2}


def test_by_hand_each_task_exits_its_own(way, clock):
    """Tasks that take turns on one thread don't take one another's entries."""
    breaker = seawall.CircuitBreaker("slow", slow_call_rate=1.0, slow_call_duration=5)
    enter, leave = way.halves

    async def task(begun, go_on):
        await way.by_hand(getattr(breaker, enter))
        begun.set()
        await go_on.wait()
        await way.by_hand(getattr(breaker, leave), *NONE)

    async def main():
        events = [asyncio.Event() for _ in range(4)]
        slow = asyncio.create_task(task(events[0], events[1]))
        await events[0].wait()
        clock.advance(6)
        quick = asyncio.create_task(task(events[2], events[3]))
        await events[2].wait()
        events[1].set()
        await slow
        assert breaker.snapshot().counts["slow"] == 1
        events[3].set()
        await quick

    asyncio.run(main())
    assert breaker.snapshot().counts["slow"] == 1


def test_halves_that_were_fetched_before_and_kept(way, guard, patient, tally, finish):
    """A pair that was fetched once may be used again, also inside of itself."""
    enter, leave = (getattr(guard, half) for half in way.halves)

    async def main():
        for _ in range(3):
            await way.by_hand(enter)
            await way.by_hand(enter)
            await way.by_hand(leave, TroubleError, TroubleError(), None)
            await way.by_hand(leave, *NONE)

    finish(main())
    assert tally(patient) == {"failure": 3, "success": 3}


def test_halves_of_the_class_that_were_kept(way, patient, tally, finish):
    """So may a pair of the class, as instrumentation keeps it, for any guard."""
    enter, leave = (getattr(seawall.CircuitBreaker, half) for half in way.halves)
    other = seawall.CircuitBreaker("other")

    async def main():
        for _ in range(3):
            await way.by_hand(enter, patient)
            await way.by_hand(enter, other)
            await way.by_hand(leave, patient, *NONE)
            await way.by_hand(leave, other, TroubleError, TroubleError(), None)

    finish(main())
    assert tally(patient) == {"success": 3}
    assert tally(other) == {"failure": 3}


def test_a_subclass_may_add_to_both(way, tally, finish):
    """Halves that a subclass overrides and calls through `super()` work."""
    steps = []

    class Telling(seawall.CircuitBreaker):
        def __enter__(self):
            steps.append("enter")
            return super().__enter__()

        def __exit__(self, *told):
            steps.append("exit")
            return super().__exit__(*told)

        async def __aenter__(self):
            steps.append("enter")
            return await super().__aenter__()

        async def __aexit__(self, *told):
            steps.append("exit")
            return await super().__aexit__(*told)

    breaker = Telling("telling")
    assert finish(way.inside(breaker, lambda value: value)) is breaker
    with pytest.raises(TroubleError):
        finish(way.inside(breaker, fail))

    async def main():
        stack = way.stack()
        await way.enter(stack, breaker)
        await way.close(stack)

    finish(main())
    assert steps == ["enter", "exit"] * 3
    assert tally(breaker) == {"success": 2, "failure": 1}


def attributes(guard):
    """All attributes that it has."""
    found = []
    for name in dir(guard):
        # One may say that it is not there for a guard of this sort.
        with contextlib.suppress(TypeError):
            found.append(getattr(guard, name))
    return found


def test_looking_at_it_changes_nothing(way, guard, patient, tally, finish):
    """Halves that are fetched and not used don't disturb the next block."""
    enter, leave = way.halves

    def use():
        finish(way.inside(guard, lambda _: tally(patient)))

    looks = [
        lambda: hasattr(guard, enter),
        lambda: hasattr(guard, leave),
        lambda: getattr(guard, enter),
        lambda: getattr(guard, leave),
        lambda: (getattr(guard, enter), getattr(guard, leave)),
        lambda: (getattr(guard, leave), getattr(guard, enter)),
        lambda: getattr(type(guard), enter),
        lambda: getattr(type(guard), leave),
        lambda: attributes(guard),
        lambda: mock.create_autospec(type(guard), instance=True),
        lambda: mock.MagicMock(spec=guard),
        lambda: pydoc.render_doc(type(guard)),
        lambda: inspect.getmembers(guard),
        lambda: inspect.getmembers_static(guard),
        lambda: repr(getattr(guard, enter)),
    ]
    for look in looks:
        seen = look()
        use()
        del seen
        use()
    kept = [look() for look in looks]
    use()
    assert kept
    assert tally(patient) == {"success": 2 * len(looks) + 1}


def test_an_exit_that_was_kept_is_not_taken_for_anothers(patient, tally):
    """`push(p.__exit__)` before a block of the same guard leaves the block its own exit."""
    with contextlib.ExitStack() as stack:
        patient.__enter__()
        stack.push(patient.__exit__)
        with pytest.raises(TroubleError), patient:
            raise TroubleError
        stack.enter_context(patient)
        patient.__enter__()
        stack.push(patient)
        assert tally(patient) == {"failure": 1, "in_flight": 3}
    assert tally(patient) == {"failure": 1, "success": 3}


def test_what_a_half_is_called_with(patient):
    """Each half takes what it is told, and nothing else."""
    for wrong in [
        lambda: patient.__enter__(1),
        lambda: patient.__enter__(*NONE),
        lambda: patient.__exit__(),
        lambda: patient.__exit__(None, None),
        lambda: patient.__enter__(key=1),
        lambda: type(patient).__enter__(),
        lambda: type(patient).__enter__(1),
        lambda: type(patient).__exit__(patient),
        lambda: inspect.getattr_static(patient, "__enter__").__get__(1),
    ]:
        with pytest.raises(TypeError):
            wrong()
    patient.__enter__()
    with pytest.raises(TypeError):
        patient.__exit__(1, 2, 3)
    patient.__exit__(None, None, None)


def test_awaited_twice(patient, finish, tally):
    """What `__aenter__()` gives is awaited once."""
    entry = patient.__aenter__()
    assert finish(entry) is patient
    with pytest.raises(TypeError, match="call __aenter__"):
        finish(patient.__aenter__)
    with pytest.raises(RuntimeError, match="already awaited"):
        finish(entry)
    finish(patient.__aexit__(*NONE))
    assert tally(patient) == {"success": 1}


def test_never_awaited(patient, tally, finish):
    """What `__aenter__()` gives asks nobody before it is awaited."""
    patient.__aenter__()
    assert tally(patient) == {}
    with pytest.raises(RuntimeError, match="is not entered"):
        patient.__aexit__(*NONE)


def test_thrown_away(guard, patient, tally):
    """A block that never comes to its exit is settled as dropped."""

    def items():
        with guard:
            yield

    generator = items()
    next(generator)
    assert tally(patient) == {"in_flight": 1}
    del generator
    assert tally(patient) == {"cancelled": 1}
    enter, leave = type(guard).__enter__, type(guard).__exit__
    enter(guard)
    assert enter is leave
    del enter, leave
    assert tally(patient) == {"cancelled": 2}


def test_what_is_in_force_is_asked(patient, tally):
    """A block enters and is judged by the settings that are in force at its start."""
    with patient:
        patient.reconfigure(on=KeyError)
    with pytest.raises(ValueError), patient:  # noqa: PT011  any
        raise ValueError
    assert tally(patient) == {"success": 2}


def test_slow_blocks(way, clock, finish):
    """The time inside of a block is measured."""
    breaker = seawall.CircuitBreaker("slow", slow_call_rate=1.0, slow_call_duration=5)
    finish(way.inside(breaker, lambda _: clock.advance(6)))
    assert breaker.snapshot().counts["slow"] == 1


def test_a_listener_that_uses_the_guard(way, finish):
    """A listener may enter the guard that tells it."""
    told = []

    def listen(event):
        told.append(event.kind)
        with contextlib.suppress(seawall.CircuitOpenError), breaker:
            pass

    breaker = seawall.CircuitBreaker("told", failure_threshold=1, on_event=listen)
    with pytest.raises(TroubleError):
        finish(way.inside(breaker, fail))
    assert told == ["breaker.opened"]


def test_a_keyed_block(way, finish):
    """`block(key=…)` names the state that a block of a keyed policy belongs to; bare ones can't."""
    breaker = seawall.CircuitBreaker("keyed", key="host", failure_threshold=1)
    with pytest.raises(TroubleError):
        finish(way.inside(breaker.block(key="a"), fail))
    with pytest.raises(seawall.CircuitOpenError):
        finish(way.inside(breaker.block(key="a"), fail))
    finish(way.inside(breaker.block(key="b"), lambda _: None))
    with pytest.raises(TypeError, match="block"):
        finish(way.inside(breaker, fail))
