"""Late outcomes: a call answers for the state in which it began."""

from __future__ import annotations

from benches.matrix.adapter import Settings
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario

THREE = Settings().threshold


@scenario("sync", "async")
def stale_success_leaves_it_open(lab: Lab) -> None:
    """A success that began before the circuit opened does not close it."""
    subject = lab.subject()
    late = subject.start()
    subject.opened()
    late.succeed()
    lab.check(subject.rejects(), "a stale success closes the open circuit")


@scenario("sync", "async")
def stale_success_is_no_probe(lab: Lab) -> None:
    """A success that began before the circuit opened does not decide half-open."""
    subject = lab.subject()
    late = subject.start()
    probe = subject.due().start()
    lab.check(probe.entered, "no probe is let in")
    late.succeed()
    state = subject.state()
    lab.check(state != "closed", "a stale success closes it while the probe still runs")
    probe.fail()
    lab.check(subject.rejects(), "the failed probe doesn't re-open it")


@scenario("sync", "async")
def stale_failure_is_no_probe(lab: Lab) -> None:
    """A failure that began before the circuit opened does not re-open it under a probe."""
    subject = lab.subject()
    late = subject.start()
    probe = subject.due().start()
    lab.check(probe.entered, "no probe is let in")
    late.fail()
    lab.check(subject.state() != "open", "a stale failure re-opens it while the probe still runs")
    probe.succeed()
    lab.check(not subject.rejects(), "the good probe doesn't close it")


@scenario("sync", "async")
def stale_failures_spare_a_recovered_circuit(lab: Lab) -> None:
    """Failures that began before the circuit opened don't open it again after a good probe."""
    subject = lab.subject()
    late = [subject.start() for _ in range(THREE)]
    subject.due().succeed()
    lab.check(subject.state() == "closed", f"state is {subject.state()} after a good probe")
    for flight in late:
        flight.fail()
    lab.check(not subject.rejects(), "stale failures open the recovered circuit")


@scenario("sync", "async")
def late_failure_keeps_the_window(lab: Lab) -> None:
    """A failure that arrives while open does not make the open window longer."""
    subject = lab.subject()
    late = subject.start()
    subject.opened()
    lab.clock.advance(20)
    late.fail()
    lab.clock.advance(11)
    lab.check(subject.succeed().entered, "a late failure starts the open window anew")
