"""Threads for calls that can't be interrupted: whoever waits gets an answer in time.

A thread can't be stopped. A call that takes too long is given up: its caller goes on, and its
thread is lost until the call ends by itself. So there is no queue in which a healthy call could
wait behind hung ones until its own time is over, unrun: each call has a thread at once, an idle
one or a new one, or is refused at once.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar
from weakref import WeakSet

from seawall import _core, waiting
from seawall.errors import ConfigError, ThreadsExhaustedError
from seawall.policies.timeout.deadlines import exceeded
from seawall.policies.timeout.errors import CallTimeoutError

__all__ = ["Pool", "Started"]

_R = TypeVar("_R")

#: A thread without a call ends after so many seconds.
IDLE = 10.0
#: More threads than this are a mistake: each costs memory.
MOST = 100_000


class Pool:
    """Worker threads of its own, started when a call needs one.

    They are daemons, and hold up no exit; a forked child starts its own.

    Args:
        name: Whose they are, in errors and in the names of the threads.
        max_threads: How many there may be at once, those among them that hang in calls that were
            given up: 1 to 100 000.

    Raises:
        ConfigError: Naming everything that is wrong with these.
    """

    def __init__(self, name: str, *, max_threads: int = 256) -> None:
        problems = _problems(name, max_threads)
        if problems:
            raise ConfigError("pool" if problems[0][0] == "name" else f"pool {name!r}", problems)
        self.name = name
        self.max_threads = max_threads
        #: Calls that were given up, so far.
        self.given_up = 0
        #: Calls that were refused for want of a thread, so far.
        self.refused = 0
        self.begin()
        _pools.add(self)

    def begin(self) -> None:
        """Starts without threads, also in a forked child: those of its parent are not there."""
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._threads = 0
        self._abandoned = 0
        self._started = 0

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return self._threads

    @property
    def abandoned(self) -> int:
        """How many of them hang now in calls that were given up."""
        return self._abandoned

    @property
    def idle(self) -> int:
        """How many of them wait for a call."""
        return len(self._idle)

    def run(self, function: Callable[[], _R], seconds: float | None) -> _R:
        """Calls a function in a thread of the pool, in the caller's context, and waits for it.

        Ctrl-C interrupts the waiting; the call is given up then as well.

        Args:
            function: What is called, without arguments.
            seconds: How long to wait; None: as long as the deadline around allows.

        Returns:
            What it returns. What it raises is raised.

        Raises:
            CallTimeoutError: It did not end in time. It goes on in its thread, to no avail.
            DeadlineExceededError: So it was, and the deadline around was earlier; or that had
                passed already, and the function was not called.
            ThreadsExhaustedError: No thread is left. The function was not called.

        Warns:
            BlockingWaitWarning: It is called in a thread that runs an event loop, which stands
                still meanwhile.
        """
        waiting.warn_of_loop(f"timeout {self.name!r}")
        deadline = _core.current_deadline()
        limit, passed = seconds, None
        if deadline is not None and (seconds is None or deadline.remaining < seconds):
            limit, passed = deadline.remaining, deadline
            if limit <= 0.0:
                raise exceeded(deadline)
        job = _Job(self, function, copy_context())
        self._hand_over(job)
        if job.wait(limit):
            result: _R = job.result()
            return result
        if passed is not None:
            raise exceeded(passed)
        raise CallTimeoutError(self.name, seconds, job.elapsed, True)

    def start(self, function: Callable[[], object]) -> Started:
        """Calls a function in a thread of the pool, in the caller's context, and does not wait.

        Args:
            function: What is called, without arguments. It sees to its own end: what it returns
                or raises goes nowhere.

        Raises:
            ThreadsExhaustedError: No thread is left. The function is not called.
        """
        job = Started(self, function, copy_context())
        self._hand_over(job)
        return job

    def _hand_over(self, job: _Job | Started) -> None:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
            if worker is None:
                if self._threads >= self.max_threads:
                    self.refused += 1
                    raise ThreadsExhaustedError(self.name, None, self._threads, self._abandoned)
                self._threads += 1
                self._started += 1
            else:
                worker.waits_for_work = False
        if worker is None:
            worker = _Worker(self, self._started)
            worker.job = job
            try:
                worker.start()
            except BaseException:
                with self._lock:
                    self._threads -= 1
                raise
        else:
            worker.job = job
            worker.bell.release()


class _Job:
    """A call, and the one who waits for it."""

    def __init__(self, pool: Pool, function: Callable[[], Any], context: Context) -> None:
        self._pool = pool
        self._call: tuple[Callable[[], Any], Context] | None = function, context
        #: Free as soon as the call has ended or was given up, whichever comes first.
        self._decided = threading.Lock()
        self._decided.acquire()
        self._ended = False
        self._given_up = False
        self._outcome: tuple[bool, Any] = False, None
        self._sleeper: Any = None
        self._began = _now()

    @property
    def elapsed(self) -> float:
        """Seconds since it was handed over."""
        return (_now() - self._began) / 1e9

    def make(self) -> None:
        """Makes the call; in a thread of the pool."""
        call, self._call = self._call, None
        if call is None:
            return
        outcome = _outcome(*call)
        del call
        pool = self._pool
        with pool._lock:
            if self._given_up:
                # Not below zero: a forked child has forgotten what its parent gave up.
                pool._abandoned = max(pool._abandoned - 1, 0)
                return
            self._ended = True
            self._outcome = outcome
            self._decided.release()
        if self._sleeper is not None:
            self._sleeper.wake()

    def give_up(self) -> None:
        """Waits no longer, unless the call has ended."""
        pool = self._pool
        with pool._lock:
            if not self._ended and not self._given_up:
                self._given_up = True
                pool._abandoned += 1
                pool.given_up += 1
                self._decided.release()

    def wait(self, seconds: float | None) -> bool:
        """Waits for the end. False: it did not come in time, and the call is given up."""
        clock: Any = _core.test_clock()
        try:
            if seconds is None:
                self._decided.acquire()
            elif clock is None or not hasattr(clock, "_bed"):
                self._decided.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))
            else:
                self._wait_by(clock, seconds)
        finally:
            # Also if the waiting was interrupted.
            self.give_up()
        return self._ended

    def _wait_by(self, clock: Any, seconds: float) -> None:
        # A sleep of this thread by the test's clock, from which the end of the call wakes it.
        sleepers: Any = sys.modules["seawall.testing.sleepers"]
        company = clock._company
        self._sleeper = sleeper = sleepers.ThreadSleeper(company)
        company.lie_down(sleeper.thread)
        alarm = None
        try:
            alarm = clock._bed(sleeper, clock._now + round(seconds * 1e9))
            if not self._ended:
                sleeper.wait()
        finally:
            company.get_up(sleeper)
            if alarm is not None:
                alarm.cancel()

    def result(self) -> Any:
        """What the call returned or raised."""
        (ok, value), self._outcome = self._outcome, (False, None)
        if ok:
            return value
        try:
            raise value
        finally:
            del value


class Started:
    """A call that nobody waits for."""

    def __init__(self, pool: Pool, function: Callable[[], object], context: Context) -> None:
        self._pool = pool
        self._call: tuple[Callable[[], object], Context] | None = function, context
        self._ended = False
        self._given_up = False

    def make(self) -> None:
        """Makes the call; in a thread of the pool."""
        call, self._call = self._call, None
        if call is None:
            return
        _outcome(*call)
        del call
        pool = self._pool
        with pool._lock:
            self._ended = True
            if self._given_up:
                # Not below zero: a forked child has forgotten what its parent gave up.
                pool._abandoned = max(pool._abandoned - 1, 0)

    def give_up(self) -> None:
        """Its end matters no longer."""
        pool = self._pool
        with pool._lock:
            if not self._ended and not self._given_up:
                self._given_up = True
                pool._abandoned += 1
                pool.given_up += 1


def _problems(name: Any, max_threads: Any) -> list[tuple[str, str, str, str | None]]:
    found: list[tuple[str, str, str, str | None]] = []
    if not isinstance(name, str) or not name:
        found.append(("name", repr(name), "must be a string that is not empty", None))
    whole = isinstance(max_threads, int) and not isinstance(max_threads, bool)
    if not whole or not 1 <= max_threads <= MOST:
        rule = f"must be a whole number from 1 to {MOST}"
        found.append(("max_threads", repr(max_threads), rule, None))
    return found


def _outcome(function: Callable[[], Any], context: Context) -> tuple[bool, Any]:
    try:
        return True, context.run(function)
    except BaseException as error:  # noqa: BLE001  it is raised where the call is waited for
        return False, error


class _Worker(threading.Thread):
    """A thread that makes one call after the other."""

    def __init__(self, pool: Pool, number: int) -> None:
        super().__init__(name=f"seawall-{pool.name}-{number}", daemon=True)
        self.bell = threading.Lock()
        self.bell.acquire()
        self.job: _Job | Started | None = None
        #: It has nothing to do: a test's clock need not wait for what it does.
        self.waits_for_work = False
        self._pool = pool

    def run(self) -> None:
        pool, lock = self._pool, self._pool._lock
        while True:
            job, self.job = self.job, None
            if job is not None:
                job.make()
                del job
            if pool._lock is not lock:
                return  # a forked child, in which this is the one thread that is left
            with lock:
                self.waits_for_work = True
                pool._idle.append(self)
            if not self.bell.acquire(timeout=IDLE):
                with lock:
                    if self in pool._idle:
                        pool._idle.remove(self)
                        pool._threads -= 1
                        return
                # A call is just being handed over.
                self.bell.acquire()


def _now() -> int:
    clock = _core.test_clock()
    return time.monotonic_ns() if clock is None else clock._now


_pools: WeakSet[Pool] = WeakSet()


def _after_fork() -> None:
    # A thread that is gone may have held any of the locks.
    for pool in list(_pools):
        pool.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
