"""Half-open: how many probes, and what becomes of the lost ones."""

from __future__ import annotations

from benches.matrix.adapter import Ignored, Settings
from benches.matrix.calls import until
from benches.matrix.lab import Lab, Subject
from benches.matrix.scenarios.scenario import scenario


@scenario("sync", "async")
def no_stampede(lab: Lab) -> None:
    """Of fifty callers at once, half-open lets in as many probes as it was told, or else one."""
    probes = 3 if lab.adapter.limits_probes else 1
    subject = lab.subject(Settings(half_open=probes)).due()
    flights = [subject.start(prompt=True) for _ in range(50)]
    until(lambda: all(flight.entered or flight.done for flight in flights))
    inside = sum(flight.entered for flight in flights)
    lab.check(inside == probes, f"{inside} of 50 callers are let in, {probes} may be")


@scenario("sync", "async")
def ignored_probe_decides_nothing(lab: Lab) -> None:
    """A probe that ends in an ignored exception neither closes nor wedges the circuit."""
    subject = lab.subject(Settings(ignore=(Ignored,))).due()
    lab.check(isinstance(subject.fail(error=Ignored).error, Ignored), "no probe is let in")
    lab.check(subject.state() != "closed", "an ignored probe closes it")
    _not_wedged(lab, subject, "an ignored probe")


@scenario("async")
def cancelled_probe_decides_nothing(lab: Lab) -> None:
    """A cancelled probe neither closes, re-opens nor wedges the circuit."""
    subject = lab.subject().due()
    probe = subject.start()
    lab.check(probe.entered, "no probe is let in")
    probe.cancel()
    lab.check(subject.state() != "closed", "a cancelled probe closes it")
    _not_wedged(lab, subject, "a cancelled probe")


@scenario("async")
def closed_probe_decides_nothing(lab: Lab) -> None:
    """A probe whose coroutine is closed half-way neither closes, re-opens nor wedges it."""
    subject = lab.subject().due()
    subject.half_way().close()
    lab.check(subject.state() != "closed", "a closed coroutine closes the circuit")
    _not_wedged(lab, subject, "a probe closed half-way")


@scenario("sync", "async")
def lost_probe_does_not_wedge(lab: Lab) -> None:
    """A probe that never returns does not keep the circuit from being tried for ever."""
    subject = lab.subject().due()
    lab.check(subject.start().entered, "no probe is let in")
    for _ in range(5):
        lab.clock.advance(120)
        other = subject.start()
        if other.entered:
            return
        lab.check(not other.stuck, "callers wait for the lost probe without bound")
    lab.check(False, "half-open for ever: ten minutes later still no probe is let in")


@scenario("sync", "async")
def failed_probe_after_stale_success(lab: Lab) -> None:
    """After a success that came late and a probe that failed, the circuit can still recover."""
    subject = lab.subject()
    late = subject.start()
    subject.opened()
    late.succeed()
    lab.pass_window()
    subject.fail()
    for _ in range(5):
        lab.clock.advance(120)
        if subject.succeed().entered:
            return
    lab.check(False, "wedged: no probe is ever let in again")


def _not_wedged(lab: Lab, subject: Subject, what: str) -> None:
    following = subject.succeed()
    if following.entered:
        lab.check(subject.state() == "closed", f"after {what} a good probe doesn't close it")
        return
    lab.pass_window()
    lab.check(subject.succeed().entered, f"{what} wedges it: no further probe is let in")
    lab.check(False, f"{what} re-opens it for another window")
