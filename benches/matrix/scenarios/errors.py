"""What the caller is told."""

from __future__ import annotations

import traceback
from types import TracebackType

from benches.matrix.adapter import Boom
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario


@scenario("sync", "async", convention=True)
def rejection_says_when(lab: Lab) -> None:
    """The rejection itself carries the seconds until the next try."""
    subject = lab.subject().opened()
    error = subject.succeed().error
    assert error is not None
    wait = subject.breaker.retry_after(error)
    lab.check(wait is not None, "the rejection carries no time")
    lab.check(wait is not None and 0 < wait <= 30, f"the rejection says {wait} s of 30 s")


@scenario("sync", "async", convention=True)
def failures_surface_unwrapped(lab: Lab) -> None:
    """Every failure reaches the caller as it was raised, the one that opens the circuit too."""
    subject = lab.subject()
    for turn in range(lab.settings.threshold):
        error = subject.fail().error
        lab.check(isinstance(error, Boom), f"failure {turn + 1} surfaces as {type(error).__name__}")


@scenario("sync", "async")
def rejections_are_fresh(lab: Lab) -> None:
    """Each rejection is an exception of its own; tracebacks don't grow."""
    subject = lab.subject().opened()
    first = subject.succeed().error
    assert first is not None
    depth = _depth(first)
    errors = [first, *(subject.succeed().error for _ in range(29))]
    lab.check(
        _depth(first) <= depth,
        f"one exception is raised each time: its traceback grew from {depth} entries "
        f"to {_depth(first)} in 30 rejections",
    )
    lab.check(len({id(error) for error in errors}) == 30, "one exception object is raised twice")


@scenario("sync", "async", convention=True)
def no_frames_added(lab: Lab) -> None:
    """The traceback of a failure shows the caller and the function, and no frame between."""
    subject = lab.subject()
    error = subject.fail().error
    assert error is not None
    frames = [
        frame.name
        for frame in traceback.extract_tb(error.__traceback__)
        if "/benches/matrix/" not in frame.filename.replace("\\", "/")
    ]
    lab.check(not frames, f"{len(frames)} frames of the library's in each traceback")


def _depth(error: BaseException) -> int:
    entry: TracebackType | None = error.__traceback__
    depth = 0
    while entry is not None:
        depth, entry = depth + 1, entry.tb_next
    return depth
