"""Settings and clocks are taken as given."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from benches.matrix.adapter import Settings
from benches.matrix.lab import Lab, Subject
from benches.matrix.scenarios.scenario import scenario
from benches.matrix.verdict import Refused


@scenario("sync", "async")
def zero_recovery_is_taken_as_given(lab: Lab) -> None:
    """An open window of zero seconds is refused or means zero, not a default."""
    try:
        subject = lab.subject(Settings(recovery=0))
    except Exception as error:
        raise Refused(f"{type(error).__name__} for zero seconds") from error
    subject.fail(Settings().threshold)
    lab.clock.advance(0.001)
    lab.check(subject.succeed().entered, "zero becomes a default: it stays open")


@scenario("sync", "async")
def one_name_two_settings(lab: Lab) -> None:
    """A second breaker of one name with other settings is refused or its own, never a mix."""
    first = Subject(lab, lab.adapter.named("payments", Settings(threshold=2)))
    try:
        breaker = lab.adapter.named("payments", Settings(threshold=5))
    except Exception as error:
        raise Refused(f"{type(error).__name__} for the second") from error
    second = Subject(lab, breaker)
    listed = lab.adapter.listed("payments")
    lab.check(listed in (None, 2), "the second pushes the first out of the registry")
    second.fail(2)
    lab.check(not second.rejects(), "the second silently gets the first one's settings")
    first.fail(2)
    lab.check(first.rejects(), "the first silently gets the second one's settings")
    lab.check(not second.rejects(), "the two silently share one state")


@scenario("sync", "async")
def wall_clock_steps_do_not_matter(lab: Lab) -> None:
    """Setting the wall clock forward or back neither ends nor prolongs the open window."""
    subject = lab.subject().opened()
    lab.clock.step_wall(3600)
    lab.check(subject.rejects(), "the wall clock set forward ends the open window")
    lab.clock.step_wall(-7200)
    lab.pass_window()
    lab.check(subject.succeed().entered, "the wall clock set back prolongs the open window")


@scenario("sync", "async")
def time_zone_does_not_matter(lab: Lab) -> None:
    """East and west of UTC the window, and the wait that the rejection tells, are the same."""
    for zone in ("UTC-9", "UTC+5"):
        os.environ["TZ"] = zone
        time.tzset()
        subject = lab.subject(replace(Settings(), recovery=30.0)).opened()
        error = subject.succeed().error
        assert error is not None
        try:
            wait = subject.breaker.retry_after(error)
        except Exception as broken:
            lab.check(False, f"{type(broken).__name__} when asked for the wait east of UTC")
        if wait is not None:
            lab.check(0 < wait <= 30, f"the wait of 30 s is told as {wait:.0f} s (TZ={zone})")
        lab.pass_window()
        lab.check(subject.succeed().entered, f"the open window is longer (TZ={zone})")
