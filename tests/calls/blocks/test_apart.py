"""Blocks of one guard in several threads, tasks, event loops and processes at once."""

import asyncio
import contextlib
import gc
import sys
import weakref

import pytest
import seawall

from tests import needs
from tests.children import printed
from tests.threads import in_threads

NONE = (None, None, None)


def blocks(guard):
    """A statement in a statement."""
    with guard, guard:
        pass


def stacks(guard):
    """Two entries by a stack."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(guard)
        stack.enter_context(guard)


def by_hand(guard):
    """Two entries by hand."""
    guard.__enter__()
    guard.__enter__()
    guard.__exit__(*NONE)
    guard.__exit__(*NONE)


def failing(guard):
    """One that fails in one that does not."""
    with guard, contextlib.suppress(KeyError), guard:
        raise KeyError


def looking(guard):
    """Two entries, with looks at the halves in between."""
    hasattr(guard, "__exit__")
    enter, leave = guard.__enter__, guard.__exit__
    enter()
    hasattr(guard, "__enter__")
    with guard:
        kept = guard.__exit__
    leave(*NONE)
    del kept


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("use", [blocks, stacks, by_hand, failing, looking])
def test_in_threads(use, patient, tally):
    """Each thread's entries are its own, however they are made."""
    rounds = 300

    def work(_):
        for _ in range(rounds):
            use(patient)

    in_threads(8, work)
    counts = tally(patient)
    assert sum(counts.values()) == 8 * rounds * 2
    assert counts.get("in_flight", 0) == counts.get("cancelled", 0) == 0


@pytest.mark.usefixtures("often")
def test_a_pair_that_threads_share(patient, tally):
    """Halves that were fetched once serve several threads: each exits what it entered."""
    enter, leave = patient.__enter__, patient.__exit__
    rounds = 300

    def work(_):
        for _ in range(rounds):
            enter()
            enter()
            leave(*NONE)
            leave(*NONE)

    in_threads(8, work)
    assert tally(patient) == {"success": 8 * rounds * 2}


@pytest.mark.usefixtures("often")
def test_under_a_tracer(patient, tally):
    """A tracer, which runs between any two lines, leaves the entries of stacks in order."""
    rounds = 30

    def trace(frame, event, arg):
        hasattr(patient, "__enter__")
        hasattr(type(patient), "__enter__")
        return trace

    def work(_):
        sys.settrace(trace)
        try:
            for _ in range(rounds):
                stacks(patient)
                blocks(patient)
        finally:
            sys.settrace(None)

    in_threads(8, work)
    assert tally(patient) == {"success": 8 * rounds * 4}


def test_a_stack_closed_in_another_thread(patient, tally):
    """A stack may be closed by another thread than the one that filled it."""
    stack = contextlib.ExitStack()
    in_threads(3, lambda _: stack.enter_context(patient))
    assert tally(patient) == {"in_flight": 3}
    in_threads(1, lambda _: stack.close())
    assert tally(patient) == {"success": 3}


def test_what_a_thread_leaves_pending(patient):
    """A half that was fetched by a thread that is over keeps nothing alive."""
    breakers = [seawall.CircuitBreaker()]
    kept = []
    in_threads(8, lambda _: hasattr(breakers[0], "__enter__"))
    in_threads(8, lambda _: kept.append(breakers[0].__enter__))
    watch = weakref.ref(breakers.pop())
    with patient:
        kept.clear()
        gc.collect()
    assert watch() is None


def test_what_is_never_exited_ends_with_its_context(patient, tally):
    """An entry by hand that is never exited is settled when its context is gone."""

    def work(_):
        for _ in range(50_000):
            patient.__enter__()

    in_threads(1, work)
    gc.collect()
    assert tally(patient) == {"cancelled": 50_000}


def test_entries_that_overlap_are_forgotten(patient):
    """Entries by hand that overlap without an end leave no trail of those that are over."""
    other = seawall.CircuitBreaker("other")
    patient.__enter__()

    def overlap(rounds):
        for _ in range(rounds):
            other.__enter__()
            patient.__exit__(*NONE)
            patient.__enter__()
            other.__exit__(*NONE)

    overlap(100)
    before = len(gc.get_objects())
    overlap(1000)
    assert len(gc.get_objects()) - before < 20
    patient.__exit__(*NONE)


def test_many_tasks(patient, tally):
    """Tasks that are all inside at once, and one that is cancelled there."""

    async def main():
        gate = asyncio.Event()

        async def inside():
            async with patient:
                with patient:
                    await gate.wait()

        tasks = [asyncio.create_task(inside()) for _ in range(100)]
        await asyncio.sleep(0)
        assert tally(patient) == {"in_flight": 200}
        tasks[0].cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert tally(patient) == {"success": 198, "cancelled": 2}


def test_every_loop(patient, tally):
    """asyncio, uvloop, trio and anyio run blocks alike."""

    async def main():
        async with patient as one:
            with patient as two:
                assert one is two is patient
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(patient)
            stack.enter_context(patient)

    asyncio.run(main())
    runs = 1
    for name in ("uvloop", "trio", "anyio"):
        with contextlib.suppress(ImportError):
            loop = __import__(name)
            loop.run(main() if name == "uvloop" else main)
            runs += 1
    assert tally(patient) == {"success": 4 * runs}


def test_entered_by_wait_for(patient, tally):
    """Another task may enter, in a context of its own; who called exits."""

    async def main():
        assert await asyncio.wait_for(patient.__aenter__(), 1) is patient
        await asyncio.wait_for(patient.__aexit__(*NONE), 1)
        assert await asyncio.create_task(patient.__aenter__()) is patient
        await asyncio.create_task(patient.__aexit__(*NONE))

    asyncio.run(main())
    assert tally(patient) == {"success": 2}


@needs.fork
def test_forked_inside():
    """A process that is forked inside of a block leaves the block in both."""
    code = """
import os, seawall
p = seawall.CircuitBreaker("forked")
kept = p.__enter__
with p:
    child = os.fork()
with p:
    pass
assert p.snapshot().counts["success"] == 2
if child:
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert printed(code, "-W", "ignore") == ""


@pytest.mark.parametrize(
    "body", ["with p: raise SystemExit(0)", "p.__enter__()", "i = items(); next(i)"]
)
def test_exit_of_the_interpreter_inside(body):
    """The interpreter may end inside of a block."""
    code = f"""
import seawall
p = seawall.CircuitBreaker("ends")
def items():
    with p:
        yield
{body}
"""
    assert printed(code) == ""


def test_deep_recursion(patient, tally):
    """Blocks in a recursion that is too deep end like any other."""

    def deeper():
        with patient:
            deeper()

    with pytest.raises(RecursionError):
        deeper()
    counts = tally(patient)
    assert set(counts) == {"failure"}
    assert counts["failure"] > 100
