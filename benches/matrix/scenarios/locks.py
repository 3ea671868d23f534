"""Nobody waits for somebody else's call."""

from __future__ import annotations

import os
import signal
import time

from benches.matrix.calls import SOON, until
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario
from benches.matrix.verdict import Hangs


@scenario("sync", "async")
def whole_cycle(lab: Lab) -> None:
    """Closed, open after three failures, half-open after the window, closed after a good probe."""
    subject = lab.subject()
    lab.check(subject.succeed().value == "value", "a good call doesn't return its value")
    subject.opened()
    lab.check(subject.state() == "open", f"state is {subject.state()} when open")
    lab.pass_window()
    lab.check(subject.succeed().value == "value", "no probe is let in after the window")
    lab.check(subject.state() == "closed", f"state is {subject.state()} after a good probe")
    subject.opened()
    lab.pass_window()
    subject.fail()
    lab.check(subject.rejects(), "a failed probe doesn't re-open")


@scenario("sync", "async")
def calls_run_at_once(lab: Lab) -> None:
    """Sixteen slow calls through one closed breaker run at the same time."""
    subject = lab.subject()
    flights = [subject.start(prompt=True) for _ in range(16)]
    until(lambda: all(flight.entered for flight in flights))
    inside = sum(flight.entered for flight in flights)
    lab.check(inside == 16, f"{inside} of 16 run at once")


@scenario("sync", "async")
def nobody_waits_behind_a_probe(lab: Lab) -> None:
    """While a probe hangs, another caller gets an answer at once."""
    subject = lab.subject().due()
    probe = subject.start()
    lab.check(probe.entered, "no probe is let in after the window")
    other = subject.start()
    lab.check(not other.stuck, "a second caller waits until the probe ends")


@scenario("sync", "async")
def manual_open_is_immediate(lab: Lab) -> None:
    """Opening by hand doesn't wait for calls in flight, and rejects the next call."""
    subject = lab.subject()
    flight = subject.start()
    opening = subject.force_open()
    lab.check(until(opening.done), "opening by hand waits until the call in flight ends")
    opening.result()
    lab.check(subject.rejects(), "a call is let in after opening by hand")
    flight.succeed()
    lab.check(subject.rejects(), "the end of the call in flight undoes it")


@scenario("sync")
def fork_during_a_call(lab: Lab) -> None:
    """A child forked while a call is in flight can call."""
    lab.need(hasattr(os, "fork"), "this system has no fork")
    subject = lab.subject()
    subject.start()
    child = os.fork()
    if child == 0:
        subject._call(lambda: "value")
        os._exit(0)
    limit = time.monotonic() + 2 * SOON
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > limit:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise Hangs("the forked child deadlocks on its first call")
        time.sleep(0.005)
