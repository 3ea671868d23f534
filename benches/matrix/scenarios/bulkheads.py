"""Bulkheads: permits, and who waits for one."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import Any

from benches.matrix.adapter import Boom
from benches.matrix.calls import SOON, Calls, a_moment, until
from benches.matrix.lab import Lab
from benches.matrix.policies import Guard, Space
from benches.matrix.scenarios.scenario import scenario
from benches.matrix.verdict import NotApplicable, Wrong

_bulkhead = partial(scenario, policy="bulkhead")

WAITS = 30.0


def _patient(lab: Lab, permits: int = 1, queue: int | None = None) -> Calls:
    return lab.guarded(lambda: lab.adapter.bulkhead(Space(permits, WAITS, queue)))


def _curt(lab: Lab, permits: int = 1) -> Calls:
    return lab.guarded(lambda: lab.adapter.bulkhead(Space(permits)))


def _any(lab: Lab, permits: int = 1) -> Calls:
    """Of those that refuse at once, if they can; else of those that wait."""
    try:
        return _curt(lab, permits)
    except NotApplicable:
        return _patient(lab, permits)


@_bulkhead("sync", "async")
def as_many_as_there_are_permits(lab: Lab) -> None:
    """Of twenty callers at once, just as many are in as there are permits."""
    calls = _any(lab, 3)
    flights = [calls.start(prompt=True) for _ in range(20)]
    until(lambda: sum(flight.entered for flight in flights) >= 3)
    # A fourth that is let in wrongly would come now.
    a_moment(4)
    inside = sum(flight.entered for flight in flights)
    lab.check(inside == 3, f"{inside} of 20 are in, 3 may be")


@_bulkhead("sync", "async")
def full_is_said_at_once(lab: Lab) -> None:
    """Where nobody waits, a call that finds no permit is refused at once, by name."""
    calls = _curt(lab)
    calls.start()
    refused = calls.start()
    lab.check(not refused.stuck, "it waits")
    lab.check(refused.rejected, f"it gets {type(refused.error).__name__}")


@_bulkhead("sync", "async")
def waiters_are_served_in_order(lab: Lab) -> None:
    """Those who wait are let in in the order in which they came."""
    calls = _patient(lab)
    holder = calls.start()
    waiting = []
    for _ in range(5):
        waiting.append(calls.start(prompt=True))
        a_moment()
    holder.succeed()
    for turn, flight in enumerate(waiting):
        until(lambda: any(each.entered and not each.done for each in waiting))
        inside = [at for at, each in enumerate(waiting) if each.entered and not each.done]
        lab.check(inside == [turn], f"number {turn} should be in, {inside} are")
        flight.succeed()


@_bulkhead("sync", "async")
def nobody_overtakes(lab: Lab) -> None:
    """Who has just come out and asks again stands behind those who wait already."""
    calls = _patient(lab)
    first, second = calls.in_turn()
    waiter = calls.start(prompt=True)
    # Until the waiter stands in the line.
    a_moment(2)
    first.succeed()
    until(lambda: second.entered or waiter.entered)
    # The other one would come in now, if it were let in as well.
    a_moment()
    lab.check(not second.entered, "who has just come out is let in again before those who wait")
    lab.check(waiter.entered, "nobody is let in")


@_bulkhead("sync", "async")
def the_queue_is_bounded(lab: Lab) -> None:
    """No more wait than may: the others are refused at once."""
    calls = _patient(lab, queue=2)
    calls.start()
    flights = [calls.start(prompt=True) for _ in range(6)]
    until(lambda: sum(flight.rejected for flight in flights) >= 4)
    a_moment()
    refused = sum(flight.rejected for flight in flights)
    lab.check(refused == 4, f"{6 - refused} of 6 wait, 2 may")


@_bulkhead("sync", "async")
def nobody_waits_longer_than_allowed(lab: Lab) -> None:
    """Who has waited as long as it may is refused, by name."""
    calls = lab.guarded(lambda: lab.adapter.bulkhead(Space(1, 0.2)))
    calls.start()
    began = time.monotonic()
    waiter = calls.start(prompt=True)
    lab.check(until(lambda: waiter.done), "it waits on")
    waited = time.monotonic() - began
    lab.check(waited > 0.15, f"it is refused after {waited:.2f} s of 0.2 s")
    lab.check(waiter.rejected, f"it gets {type(waiter.error).__name__}")


@_bulkhead("sync", "async")
def permits_come_back_after_errors(lab: Lab) -> None:
    """A call that raises gives its permit back."""
    calls = _any(lab)
    calls.fail(3, Boom)
    lab.check(calls.succeed().entered, "the permit of a call that raised is gone")


@_bulkhead("async")
def permits_come_back_when_cancelled(lab: Lab) -> None:
    """A cancelled call gives its permit back, and so does one whose coroutine is closed."""
    calls = _any(lab)
    calls.start().cancel()
    lab.check(calls.succeed().entered, "the permit of a cancelled call is gone")

    class Pause:
        def __await__(self) -> Any:
            yield

    async def pause() -> None:
        await Pause()

    coroutine = calls.call(pause)
    try:
        coroutine.send(None)
    except RuntimeError as error:
        lab.need("loop" not in str(error), "it needs a running event loop")
        raise
    coroutine.close()
    lab.check(calls.succeed().entered, "the permit of a coroutine closed half-way is gone")


@_bulkhead("async")
def a_waiter_that_is_cancelled_leaves(lab: Lab) -> None:
    """A cancelled waiter is passed over: the permit goes to the one behind it."""
    calls = _patient(lab)
    holder = calls.start()
    first = calls.start(prompt=True)
    a_moment()
    second = calls.start(prompt=True)
    a_moment()
    first.cancel()
    lab.check(not first.entered, "a cancelled waiter is let in")
    holder.succeed()
    lab.check(until(lambda: second.entered), "the one behind it is never let in")


@_bulkhead("async")
def no_permit_is_lost_to_a_race(lab: Lab) -> None:
    """A waiter that is let in and cancelled at the same moment gives the permit back."""
    calls = _patient(lab)

    async def race(rounds: int) -> None:
        for number in range(60):
            gate = asyncio.get_running_loop().create_future()

            async def hold(gate: asyncio.Future[None] = gate) -> None:
                await gate

            async def nothing() -> None:
                await asyncio.sleep(0)

            holder = asyncio.create_task(calls.call(hold))
            await asyncio.sleep(0.001)
            waiters = [asyncio.create_task(calls.call(nothing)) for _ in range(2)]
            await asyncio.sleep(0.001)
            gate.set_result(None)
            for _ in range(number % rounds):
                await asyncio.sleep(0)
            waiters[0].cancel()
            await asyncio.wait([holder, *waiters], timeout=SOON / 2)
            if not all(task.done() for task in waiters):
                raise Wrong(f"{number % rounds} steps later: the one behind is never let in")

    lab.run(race(6))
    lab.check(calls.succeed().entered, "a permit is lost")


@_bulkhead("async")
def made_without_a_loop(lab: Lab) -> None:
    """It is made and put on functions at import, without a running event loop."""
    guard = _made(lab, WAITS)
    calls = Calls(lab, guard.protect, guard.refusal)
    holder, waiter = calls.start(), calls.start(prompt=True)
    a_moment()
    holder.succeed()
    lab.check(until(lambda: waiter.entered), f"a waiter gets {waiter.error!r}")


@_bulkhead("async")
def tasks_of_two_loops_share_it(lab: Lab) -> None:
    """Tasks of two event loops have one limit, and wait for one another."""
    guard = _made(lab, WAITS)
    other = asyncio.new_event_loop()
    threading.Thread(target=other.run_forever, daemon=True).start()
    here = Calls(lab, guard.protect, guard.refusal)
    there = Calls(SimpleNamespace(kind="async", loop=other), guard.protect, guard.refusal)
    holder = here.start()
    behind, waiter = here.start(prompt=True), there.start(prompt=True)
    # Until the waiter stands in the line.
    a_moment(2)
    lab.check(not waiter.entered, "each loop has a limit of its own")
    lab.check(not waiter.done, f"a waiter in another loop gets {type(waiter.error).__name__}")
    holder.succeed()
    until(lambda: behind.entered or behind.done)
    behind.succeed()
    lab.check(until(lambda: waiter.entered), "a waiter in another loop is never woken")


@_bulkhead()
def threads_and_tasks_share_it(lab: Lab) -> None:
    """One bulkhead protects sync and async functions, and they share its permits."""
    lab.need(len(lab.adapter.kinds) == 2, "it is for one kind of function")
    guard = _made(lab, 0.0)
    of_threads = Calls(SimpleNamespace(kind="sync", loop=lab.loop), guard.protect, guard.refusal)
    of_tasks = Calls(SimpleNamespace(kind="async", loop=lab.loop), guard.protect, guard.refusal)
    of_threads.start()
    lab.check(of_tasks.start().rejected, "a task is let in while a thread has the only permit")


@_bulkhead("sync")
def hung_calls_are_seen(lab: Lab) -> None:
    """While four calls hang in all of its threads, a healthy one runs or is refused by name."""
    calls = lab.guarded(lambda: lab.adapter.pooled(Space(4), 0.3))
    hung = [calls.start() for _ in range(4)]
    lab.check(until(lambda: all(flight.done for flight in hung)), "callers hang as well")
    healthy = calls.start(prompt=True)
    lab.check(until(lambda: healthy.done or healthy.entered), "a healthy call waits without bound")
    lab.check(
        healthy.entered or healthy.rejected,
        f"a healthy call gets {type(healthy.error).__name__} and never ran",
    )


def _made(lab: Lab, wait: float) -> Guard:
    """Made here, where no event loop runs."""
    try:
        return lab.adapter.bulkhead(Space(1, wait))
    except RuntimeError as error:
        raise Wrong(f"{error} when it is made") from error
