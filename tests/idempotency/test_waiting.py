"""Calls that find another at it."""

import asyncio
import threading

import pytest
import seawall
import trio
import trio.lowlevel
from seawall.idempotency import (
    NestedOperationError,
    OperationInProgressError,
    idempotency_key,
    idempotent,
)
from seawall.idempotency.local import local_of, run_of

from tests.hosts import HOSTS, LOOPS
from tests.threads import in_threads

MANY = 100


def test_a_hundred_threads_run_it_once(store):
    """Of a hundred threads one runs, and all get its result."""
    ran = []

    def body(order):
        ran.append(order)
        return {"order": order, "run": len(ran)}

    call = idempotent(store=store, name="threads")(body)
    results = in_threads(MANY, lambda _: call(1))
    assert ran == [1]
    assert results == MANY * [{"order": 1, "run": 1}]


@pytest.mark.parametrize("host", LOOPS)
def test_a_hundred_tasks_run_it_once(store, host):
    """Of a hundred tasks one runs, and all get its result."""
    ran = []

    async def body(order):
        ran.append(order)
        await asyncio.sleep(0)
        return len(ran)

    call = idempotent(store=store, name="tasks")(body)

    async def main():
        return await asyncio.gather(*(call(1) for _ in range(MANY)))

    assert LOOPS[host](main) == MANY * [1]
    assert ran == [1]


def test_a_hundred_tasks_of_trio_run_it_once(store):
    """Likewise under trio."""
    ran, results = [], []

    async def body(order):
        ran.append(order)
        await trio.lowlevel.checkpoint()
        return len(ran)

    call = idempotent(store=store, name="tasks")(body)

    async def main():
        async def one():
            results.append(await call(1))

        async with trio.open_nursery() as nursery:
            for _ in range(MANY):
                nursery.start_soon(one)

    trio.run(main)
    assert (ran, results) == ([1], MANY * [1])


def test_threads_and_tasks_wait_for_one_another(store):
    """A task waits for a thread's run, and a thread for a task's."""
    for first in ("thread", "task"):
        inside, go_on = threading.Event(), threading.Event()
        order = {"first": first}

        def body(order, inside=inside, go_on=go_on):
            inside.set()
            assert go_on.wait(30)
            return order["first"]

        async def task(order, body=body):
            return await asyncio.to_thread(body, order)

        plain = idempotent(store=store, name="mixed")(body)
        protected = idempotent(store=store, name="mixed")(task)

        def of_task(order, protected=protected):
            return asyncio.run(protected(order))

        begin, follow = (plain, of_task) if first == "thread" else (of_task, plain)

        def one(number, begin=begin, follow=follow, order=order, inside=inside, go_on=go_on):
            if number == 0:
                return begin(order)
            assert inside.wait(30)
            threading.Timer(0.05, go_on.set).start()
            return follow(order)

        assert in_threads(2, one) == [first, first]


class Held:
    """An operation that runs, in a thread of its own, until it is let go."""

    def __init__(self, store, **settings):
        """Begins it."""
        inside, self.go_on = threading.Event(), threading.Event()

        def body():
            inside.set()
            assert self.go_on.wait(30)
            return "held"

        settings.setdefault("name", "test")
        call = idempotent(store=store, **settings)(body)
        self.thread = threading.Thread(target=call, daemon=True)
        self.thread.start()
        assert inside.wait(30)

    def __enter__(self):
        """Itself."""
        return self

    def __exit__(self, *_):
        """Lets it go."""
        self.go_on.set()
        self.thread.join(30)


def test_a_duplicate_is_refused_at_once(caller, store):
    """With on_conflict="refuse" nobody waits; the rejection says when to come again."""
    call = caller.operation(lambda: "never", store=store, on_conflict="refuse")
    with Held(store), pytest.raises(OperationInProgressError, match="is in progress") as caught:
        call()
    assert isinstance(caught.value, seawall.Rejected)
    assert 0 < caught.value.retry_after <= 30
    assert caught.value.why == "refused"


def test_nobody_waits_for_longer_than_it_may(caller, memory):
    """By the test's clock, a duplicate waits for `wait` seconds and is rejected then."""
    call = caller.operation(lambda: "never", store=memory, wait=25)
    with Held(memory), seawall.testing.clock(autojump=True) as clock:
        with pytest.raises(OperationInProgressError, match="did not end while") as caught:
            call()
        assert clock.elapsed == pytest.approx(25, abs=1e-3)
    assert caught.value.why == "waited"


def test_the_deadline_bounds_the_waiting(caller, memory):
    """A duplicate waits no longer than the deadline around it allows."""
    call = caller.operation(lambda: "never", store=memory)
    with Held(memory), seawall.testing.clock(autojump=True) as clock, seawall.deadline(3):
        with pytest.raises(OperationInProgressError, match="before the deadline"):
            call()
        assert clock.elapsed == pytest.approx(3, abs=1e-3)


def test_those_who_wait_are_woken(caller, memory):
    """Who waits in the same process goes on when the run ends, not at its next look."""
    call = caller.operation(lambda: "never", store=memory)
    with Held(memory) as held, seawall.testing.clock() as clock:
        threading.Timer(0.05, held.go_on.set).start()
        assert call() == "held"
        assert clock.elapsed == 0


def test_who_gives_up_leaves_nothing_behind(caller, memory):
    """A run that takes long has nothing of all those who have waited for it and gave up."""
    call = caller.operation(lambda: "never", store=memory, wait=0.001)
    with Held(memory):
        for _ in range(20):
            with pytest.raises(OperationInProgressError):
                call()
        (run,) = map(run_of, list(local_of(memory).running.values()))
        assert not run._bell._rings


def test_who_waits_runs_it_if_the_first_one_fails(store):
    """A run that fails wakes those who wait: one of them runs, and the others get its result."""
    ran = []
    first = threading.Event()

    def body():
        ran.append(1)
        if len(ran) == 1:
            assert first.wait(30)
            raise OSError("gone")
        return len(ran)

    call = idempotent(store=store, name="second")(body)

    def one(number):
        if number == 1:
            threading.Timer(0.05, first.set).start()
        try:
            return call()
        except OSError:
            return "failed"

    results = in_threads(10, one)
    assert sorted(map(str, results)) == 9 * ["2"] + ["failed"]
    assert len(ran) == 2


def test_inside_of_itself_is_an_error_at_once(caller, store):
    """A body that calls its own operation with its own key would wait for its own end."""

    def body(depth):
        with idempotency_key("same", store=store, name="other"):
            return

    call = idempotent(store=store, name="same", key=lambda depth: "same")(lambda depth: call(depth))
    with pytest.raises(NestedOperationError, match="inside of itself") as caught:
        call(1)
    assert caught.value.why == "nested"
    assert body(1) is None


@pytest.mark.parametrize("host", HOSTS)
def test_inside_of_itself_in_a_task(memory, host):
    """Also through an operation between, and in a task that the body waits for."""

    async def inner():
        return await outer()

    async def body():
        return await idempotent(store=memory, name="between")(inner)()

    outer = idempotent(store=memory, name="outer")(body)
    with pytest.raises(NestedOperationError):
        HOSTS[host](outer)


def test_operations_nest(caller, store, memory):
    """Operations inside of one another, of one store, each have their own end."""
    ran = []

    def inner(order):
        ran.append(("inner", order))
        return order

    of_inner = idempotent(store=memory, name="inner")(inner)

    def outer(order):
        ran.append(("outer", order))
        return [of_inner(order), of_inner(order + 1)]

    call = caller.operation(outer, store=memory, name="outer")
    assert call(1) == call(1) == [1, 2]
    assert call(2) == [2, 3]
    assert ran == [("outer", 1), ("inner", 1), ("inner", 2), ("outer", 2), ("inner", 3)]


def test_a_deadline_that_has_passed_runs_nothing_twice(caller, memory):
    """What completed before is given although the deadline has passed."""
    call = caller.operation(lambda: 5, store=memory)
    assert call() == 5
    with seawall.deadline(0):
        assert call() == 5
