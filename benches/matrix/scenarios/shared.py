"""State shared through Redis."""

from __future__ import annotations

import importlib
from typing import Any

from benches.matrix.adapter import Settings
from benches.matrix.calls import until
from benches.matrix.lab import Lab, Subject
from benches.matrix.scenarios.scenario import scenario


@scenario("sync", "async")
def store_down_at_start(lab: Lab) -> None:
    """With the store down, a breaker can be made and lets calls through."""
    server = _server(lab)
    _need_shared(lab, server)
    server.connected = False
    try:
        subject = Subject(lab, lab.adapter.shared(Settings(), server))
    except Exception as error:
        lab.check(False, f"{type(error).__name__} when it is made")
    answer = subject.succeed()
    lab.check(answer.value == "value", f"a healthy call ends in {type(answer.error).__name__}")


@scenario("sync", "async")
def store_lost_midway(lab: Lab) -> None:
    """A breaker whose store is lost still lets healthy calls through, and still trips."""
    server = _server(lab)
    subject = Subject(lab, lab.adapter.shared(Settings(), server))
    lab.check(subject.succeed().value == "value", "no call with the store up")
    server.connected = False
    answer = subject.succeed()
    lab.check(answer.value == "value", f"a healthy call ends in {type(answer.error).__name__}")
    subject.fail(10 * Settings().threshold)
    lab.check(subject.rejects(), "never trips again")


@scenario("sync", "async")
def one_probe_for_all(lab: Lab) -> None:
    """Ten instances that share a breaker send one probe between them."""
    server = _server(lab)
    subjects = [Subject(lab, lab.adapter.shared(Settings(), server)) for _ in range(10)]
    subjects[0].opened()
    lab.check(subjects[1].rejects(), "the other instances don't see that it opened")
    lab.pass_window()
    flights = [subject.start(prompt=True) for subject in subjects]
    until(lambda: all(flight.entered or flight.done for flight in flights))
    inside = sum(flight.entered for flight in flights)
    lab.check(inside == 1, f"{inside} of 10 instances send a probe at once")


def _server(lab: Lab) -> Any:
    try:
        return importlib.import_module("fakeredis").FakeServer()
    except ImportError:
        lab.need(False, "fakeredis is not installed")


def _need_shared(lab: Lab, server: Any) -> None:
    lab.adapter.shared(Settings(), server)
