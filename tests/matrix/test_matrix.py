"""The matrix can be passed, and it can fail."""

from __future__ import annotations

import json
from typing import Any

import pytest


def judge(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status and the cells."""
    from benches.matrix.__main__ import main

    status = main(["--json", "--jobs", "2", *arguments])
    cells: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["cells"]
    return status, cells


def test_every_scenario_can_be_passed(capsys: pytest.CaptureFixture[str]) -> None:
    """A breaker that keeps the rules breaks no claim, conventions aside."""
    _, cells = judge(capsys, "--only", "toys:Right", "--subject", "toys:Right")
    broken = {
        cell["scenario"]: (cell["verdict"], cell["what"])
        for cell in cells
        if cell["verdict"] not in ("right", "refused", "not applicable") and not cell["convention"]
    }
    assert broken == {}
    assert sum(cell["verdict"] == "right" for cell in cells) >= 30


def test_every_scenario_of_other_policies_can_be_passed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Seawall breaks none of the claims about bulkheads, rate limits and retries."""
    from benches.matrix.scenarios import ALL

    asked = [scenario for scenario in ALL if scenario.policy != "breaker"]
    named = [word for scenario in asked for word in ("--scenario", scenario.name)]
    status, cells = judge(capsys, "--only", "seawall", *named)
    found = {cell["scenario"]: (cell["verdict"], cell["what"]) for cell in cells}
    assert found == {scenario.name: ("right", "") for scenario in asked}
    assert status == 0


def test_each_claim_about_other_policies_can_be_broken() -> None:
    """For each there is a toy that breaks it."""
    from benches.matrix.scenarios import ALL

    asked = {scenario.name for scenario in ALL if scenario.policy != "breaker"}
    assert asked - {scenario for _, scenario in WRONG_POLICIES} == set()


WRONG = [
    ("Stampede", "no-stampede"),
    ("Stampede", "one-probe-for-all"),
    ("Forgetful", "stale-success-is-no-probe"),
    ("Forgetful", "stale-failure-is-no-probe"),
    ("Forgetful", "stale-failures-spare-a-recovered-circuit"),
    ("Cancelled", "cancelled-is-neutral"),
    ("Cancelled", "closed-coroutine-is-neutral"),
    ("Cancelled", "cancelled-probe-decides-nothing"),
    ("Cancelled", "closed-probe-decides-nothing"),
    ("Cancelled", "ctrl-c-surfaces"),
    ("Everything", "not-found-is-not-an-outage"),
    ("Everything", "ignored-is-neutral"),
    ("Diluting", "rejections-do-not-dilute"),
    ("Wall", "wall-clock-steps-do-not-matter"),
    ("Lost", "lost-probe-does-not-wedge"),
    ("Locked", "calls-run-at-once"),
    ("Locked", "nobody-waits-behind-a-probe"),
    ("Eager", "rejected-leaves-no-coroutine"),
    ("Loopy", "no-loop-needed-to-decorate"),
    ("Plain", "stays-a-coroutine-function"),
    ("Unprotected", "whole-cycle"),
    ("Unprotected", "async-functions-count"),
    ("Unprotected", "generators-are-protected"),
    ("Unprotected", "async-generators-are-protected"),
    ("Unprotected", "awaitables-are-judged-when-done"),
    ("Plain", "stays-a-generator-function"),
    ("Plain", "stays-an-async-generator-function"),
]
# In `toy_faces`: generators, blocks and cancellation.
WRONG_FACES = [
    ("Made", "generators-fail-anywhere"),
    ("Made", "generators-are-refused-at-the-first-item"),
    ("Made", "async-generators-are-refused-at-the-first-item"),
    ("Reserving", "unused-generators-take-nothing"),
    ("Breaking", "leaving-a-generator-is-fine"),
    ("Breaking", "leaving-an-async-generator-is-fine"),
    ("Breaking", "generators-keep-their-answer"),
    ("Breaking", "generators-catch-what-is-thrown"),
    ("Breaking", "async-generators-get-what-is-sent"),
    ("Breaking", "the-consumers-failure-is-its-own"),
    ("Breaking", "the-async-consumers-failure-is-its-own"),
    ("Breaking", "thrown-in-and-back-is-the-consumers"),
    ("Breaking", "async-generators-cancelled-anywhere-are-neutral"),
    ("Timing", "the-consumers-time-is-its-own"),
    ("Holding", "a-resting-generator-keeps-nobody-waiting"),
    ("OpenDoor", "with-rejects-when-open"),
    ("OpenDoor", "async-with-rejects-when-open"),
    ("Swallowing", "blocks-swallow-nothing"),
    ("Swallowing", "async-blocks-swallow-nothing"),
    ("Swallowing", "exit-stacks-hold-blocks"),
    ("Swallowing", "async-exit-stacks-hold-blocks"),
    ("OneSlot", "nested-blocks-each-count"),
    ("OneSlot", "nested-async-blocks-each-count"),
    ("OneSlot", "blocks-in-threads-each-count"),
    ("OneSlot", "blocks-in-tasks-each-count"),
    ("Bound", "exit-stacks-close-elsewhere"),
    ("Leaking", "calls-cancelled-anywhere-are-neutral"),
    ("Leaking", "probes-cancelled-anywhere-give-back-their-place"),
    ("Leaking", "calls-timed-out-are-neutral"),
    ("Leaking", "async-generators-cancelled-anywhere-are-neutral"),
    ("Leaking", "async-generator-probes-cancelled-anywhere-give-back-their-place"),
    ("Leaking", "async-blocks-cancelled-anywhere-are-neutral"),
    ("Leaking", "async-block-probes-cancelled-anywhere-give-back-their-place"),
]
# In `toy_policies`: bulkheads, rate limits, retries.
WRONG_POLICIES = [
    ("Naked", "as-many-as-there-are-permits"),
    ("Naked", "full-is-said-at-once"),
    ("Naked", "the-queue-is-bounded"),
    ("Naked", "nobody-waits-longer-than-allowed"),
    ("NakedTasks", "tasks-of-two-loops-share-it"),
    ("NakedTasks", "threads-and-tasks-share-it"),
    ("Naked", "no-more-at-once-than-may"),
    ("Naked", "the-rate-is-kept"),
    ("Naked", "who-waits-gets-the-rate"),
    ("Naked", "a-hopeless-wait-is-refused-at-once"),
    ("Naked", "setting-the-wall-clock-gives-nothing"),
    ("Naked", "keys-that-are-used-up-are-not-forgotten"),
    ("NakedTasks", "threads-and-tasks-share-a-limit"),
    ("NakedTasks", "three-attempts-are-three-calls"),
    ("Leaking", "permits-come-back-after-errors"),
    ("Leaking", "permits-come-back-when-cancelled"),
    ("Leaking", "a-waiter-that-is-cancelled-leaves"),
    ("Leaking", "no-permit-is-lost-to-a-race"),
    ("Pushing", "waiters-are-served-in-order"),
    ("Pushing", "nobody-overtakes"),
    ("Pushing", "hung-calls-are-seen"),
    ("Pushing", "waiters-have-their-turns-in-order"),
    ("PushingTasks", "who-gives-up-gives-its-time-back"),
    ("Pushing", "no-thread-after-thread"),
    ("Looped", "made-without-a-loop"),
    ("Looped", "limits-are-made-without-a-loop"),
    ("Stubborn", "the-last-error-is-the-callers"),
    ("Stubborn", "what-is-never-tried-again-is-not"),
    ("Stubborn", "cancellation-is-not-tried-again"),
    ("Stubborn", "no-attempt-begins-too-late"),
    ("Stubborn", "concurrent-calls-share-nothing"),
    ("Stubborn", "nested-retries-do-not-multiply"),
]
ALL_WRONG = [
    *((f"toys:{toy}", scenario) for toy, scenario in WRONG),
    *((f"toy_faces:{toy}", scenario) for toy, scenario in WRONG_FACES),
    *((f"toy_policies:{toy}", scenario) for toy, scenario in WRONG_POLICIES),
]


@pytest.mark.parametrize(("name", "scenario"), ALL_WRONG)
def test_a_wrong_breaker_is_reported_wrong(
    capsys: pytest.CaptureFixture[str], name: str, scenario: str
) -> None:
    """A breaker that breaks one rule is caught by the scenario for it, and fails the run."""
    status, [cell] = judge(capsys, "--only", name, "--subject", name, "--scenario", scenario)
    assert (cell["verdict"], status) == ("wrong", 1), cell
    assert cell["what"]


def test_a_lock_across_a_fork_hangs(capsys: pytest.CaptureFixture[str]) -> None:
    """A child that deadlocks is reported as hanging, and fails the run."""
    status, [cell] = judge(
        capsys,
        *("--only", "toys:Locked", "--subject", "toys:Locked"),
        *("--scenario", "fork-during-a-call"),
    )
    assert (cell["verdict"], status) == ("hangs", 1)


@pytest.mark.parametrize(
    ("toy", "limit", "verdict", "expected"),
    [
        ("Hanging", 0.3, "hangs", 1),
        ("Crashing", 30, "crashed", 1),
        ("Missing", 30, "not installed", 2),
    ],
)
def test_the_run_survives_what_does_not_come_back(
    capsys: pytest.CaptureFixture[str], toy: str, limit: float, verdict: str, expected: int
) -> None:
    """A hang, a crash and an absent library are results."""
    name = f"toys:{toy}"
    status, [cell] = judge(
        capsys,
        *("--only", name, "--subject", name),
        *("--scenario", "whole-cycle", "--limit", str(limit)),
    )
    assert (cell["verdict"], status) == (verdict, expected)


def test_peers_do_not_fail_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the subject's wrongs count."""
    status, [cell] = judge(capsys, "--only", "toys:Stampede", "--scenario", "no-stampede")
    assert (cell["verdict"], status) == ("wrong", 0)
