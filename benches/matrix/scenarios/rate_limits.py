"""Rate limits: how many begin, how soon, and in which order."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import Any

from benches.matrix.calls import MOMENT, Calls, a_moment, until
from benches.matrix.lab import Lab
from benches.matrix.policies import Guard, Pace
from benches.matrix.scenarios.scenario import scenario
from benches.matrix.verdict import NotApplicable, Wrong

_rate_limit = partial(scenario, policy="rate limit")

WAITS = 60.0
WORKERS = 4


def _limited(lab: Lab, limit: int, per: float, wait: float = 0.0) -> Calls:
    return lab.guarded(lambda: lab.adapter.rate_limit(Pace(limit, per, wait)))


def _any(lab: Lab, limit: int, per: float) -> Calls:
    """Of those that refuse at once, if they can; else of those that wait."""
    try:
        return _limited(lab, limit, per)
    except NotApplicable:
        return _limited(lab, limit, per, WAITS)


@_rate_limit("sync", "async")
def no_more_at_once_than_may(lab: Lab) -> None:
    """Of fifteen callers at once, just as many are let in as may begin at once."""
    calls = _any(lab, 5, 10)
    flights = [calls.start(prompt=True) for _ in range(15)]
    until(lambda: sum(flight.entered for flight in flights) >= 5)
    # A sixth that is let in wrongly would come now.
    a_moment(4)
    inside = sum(flight.entered for flight in flights)
    lab.check(inside == 5, f"{inside} of 15 are let in, 5 may be")


@_rate_limit("sync", "async")
def the_rate_is_kept(lab: Lab) -> None:
    """Asked all the time, it lets in what the rate allows, and no more than that and a burst."""
    calls, limit, seconds = _any(lab, 50, 1), 50, 1.5
    entered, took = _hammer(lab, calls, seconds)
    most = limit + limit * took + 1
    lab.check(entered <= most, f"{entered} in {took:.1f} s, {most:.0f} may be")
    least = 0.9 * limit * seconds
    lab.check(entered >= least, f"only {entered} in {took:.1f} s, it should be {least:.0f}")


@_rate_limit("sync", "async")
def who_waits_gets_the_rate(lab: Lab) -> None:
    """Four callers that wait for their turn are let in as fast as the rate allows."""
    calls = _limited(lab, 1, 0.02, WAITS)
    entered, took = _hammer(lab, calls, 1.0)
    lab.check(entered <= took / 0.02 + 2, f"{entered} in {took:.1f} s, 50 a second may be")
    lab.check(entered >= 0.7 / 0.02, f"only {entered} in {took:.1f} s, of 50 a second")


@_rate_limit("sync", "async")
def waiters_have_their_turns_in_order(lab: Lab) -> None:
    """Those who wait are let in in the order in which they came."""
    calls = _limited(lab, 1, 0.2, WAITS)
    calls.start()
    flights = []
    for _ in range(4):
        flights.append(calls.start(prompt=True))
        # Real time: each has asked before the next one does.
        time.sleep(0.02)
    order: list[int] = []

    def all_in() -> bool:
        order.extend(at for at, it in enumerate(flights) if it.entered and at not in order)
        return len(order) == len(flights)

    lab.check(until(all_in, 4.0), f"only {len(order)} of {len(flights)} are let in within 4 s")
    lab.check(order == sorted(order), f"they are let in as {order}")


@_rate_limit("sync", "async")
def a_hopeless_wait_is_refused_at_once(lab: Lab) -> None:
    """Who can't be let in within the time that it may wait is told so at once."""
    calls = _limited(lab, 1, 10, 0.5)
    calls.start()
    began = time.monotonic()
    late = calls.start(prompt=True)
    lab.check(until(lambda: late.done or late.entered), "it waits on")
    waited = time.monotonic() - began
    lab.check(late.rejected, f"it gets {type(late.error).__name__}")
    lab.check(waited < 0.3, f"it waits for {waited:.2f} s, and is refused then")


@_rate_limit("async")
def who_gives_up_gives_its_time_back(lab: Lab) -> None:
    """When a waiter is cancelled, those behind it move up."""
    calls = _limited(lab, 1, 0.5, WAITS)
    began = time.monotonic()
    calls.start()
    first = calls.start(prompt=True)
    # Real time: each has asked before the next one does.
    time.sleep(0.02)
    second = calls.start(prompt=True)
    time.sleep(0.02)
    first.cancel()
    lab.check(until(lambda: second.entered), "the one behind is not let in")
    waited = time.monotonic() - began
    lab.check(waited < 0.85, f"the one behind waits for {waited:.2f} s, its turn is after 0.5 s")


@_rate_limit("sync", "async")
def no_thread_after_thread(lab: Lab) -> None:
    """A limit that is in use does not start a thread over and over."""
    started = 0
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        nonlocal started
        started += 1
        start(thread)

    threading.Thread.start = counted  # type: ignore[method-assign]
    calls = _any(lab, 1000, 60)

    async def nothing() -> None:
        """What a task calls."""

    async def ask() -> None:
        for _ in range(40):
            await calls.call(nothing)
            await asyncio.sleep(0.01)

    if lab.kind == "async":
        lab.run(ask())
    else:
        for _ in range(40):
            calls.call(int)
            # Real time: limits starts a thread every 10 ms.
            time.sleep(0.01)
    lab.check(started <= 2, f"{started} threads are started for 40 calls")


@_rate_limit("sync")
def keys_that_are_used_up_are_not_forgotten(lab: Lab) -> None:
    """A key that is used up is refused also after thousands of other keys have come."""
    asks = lab.adapter.keyed_rate_limit(Pace(1, 3600), 1000)
    lab.check(asks("one"), "the first call of a key is refused")
    lab.check(not asks("one"), "the second call of a key is let in")
    for number in range(5000):
        asks(f"key {number}")
    lab.check(not asks("one"), "its state is forgotten, and a call too many let in")


@_rate_limit("sync", "async")
def setting_the_wall_clock_gives_nothing(lab: Lab) -> None:
    """Setting the wall clock forward lets nobody in before its time."""
    calls = _any(lab, 2, 60)
    for _ in range(2):
        lab.check(calls.succeed().entered, "a call that is in time is not let in")
    lab.clock.step_wall(3600)
    late = calls.start(prompt=True)
    until(lambda: late.entered or late.done, 4 * MOMENT)
    lab.check(not late.entered, "after the wall clock was set forward a call too many is let in")


@_rate_limit("async")
def limits_are_made_without_a_loop(lab: Lab) -> None:
    """It is made and put on functions at import, without a running event loop."""
    guard = _made(lab, 0.0)
    calls = Calls(lab, guard.protect, guard.refusal)
    lab.check(calls.succeed().entered, "a call that is in time is not let in")


@_rate_limit()
def threads_and_tasks_share_a_limit(lab: Lab) -> None:
    """One limit is for sync and async functions, and they share it."""
    lab.need(len(lab.adapter.kinds) == 2, "it is for one kind of function")
    lab.need(lab.adapter.one_object, "there is a class for each kind")
    guard = _made(lab, 0.0)
    of_threads = Calls(SimpleNamespace(kind="sync", loop=lab.loop), guard.protect, guard.refusal)
    of_tasks = Calls(SimpleNamespace(kind="async", loop=lab.loop), guard.protect, guard.refusal)
    lab.check(of_threads.succeed().entered, "a call that is in time is not let in")
    lab.check(of_tasks.start().rejected, "a task is let in beyond what a thread has used up")


def _made(lab: Lab, wait: float) -> Guard:
    """One call a minute. Made here, where no event loop runs."""
    try:
        try:
            return lab.adapter.rate_limit(Pace(1, 60, wait))
        except NotApplicable:
            return lab.adapter.rate_limit(Pace(1, 60, WAITS))
    except RuntimeError as error:
        raise Wrong(f"{error} when it is made") from error


def _hammer(lab: Lab, calls: Calls, seconds: float) -> tuple[int, float]:
    """How many calls are let in of those that some workers make without a pause."""
    entered = 0
    over = time.monotonic() + seconds

    def inside() -> None:
        nonlocal entered
        entered += time.monotonic() < over

    async def inside_async() -> None:
        inside()

    def work() -> None:
        while time.monotonic() < over:
            try:
                calls.call(inside)
            except calls.refusal:
                # Real time: the claim is about a rate, which is measured.
                time.sleep(0.001)

    async def work_async() -> None:
        while time.monotonic() < over:
            try:
                await calls.call(inside_async)
            except calls.refusal:
                await asyncio.sleep(0.001)

    workers: list[Any] = [
        asyncio.run_coroutine_threadsafe(work_async(), lab.loop)
        if lab.kind == "async"
        else lab.beside(work)
        for _ in range(WORKERS)
    ]
    time.sleep(max(0.0, over - time.monotonic()))
    for worker in workers:
        if worker.done() and worker.exception() is not None:
            raise worker.exception()
    return entered, seconds
