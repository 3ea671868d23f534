"""What counts as a failure, and what does not."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable
from typing import Any

from benches.matrix.adapter import Boom, Ignored, Rate, Settings
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario

THREE = Settings().threshold


@scenario()
def async_functions_count(lab: Lab) -> None:
    """Failures of a decorated `async def` open the breaker."""
    breaker = lab.breaker()

    async def failing() -> None:
        raise Boom

    protected = lab.protect(breaker, failing)
    for _ in range(THREE):
        _await_quietly(lab, protected())
    lab.check(breaker.state() == "open", f"state is {breaker.state()} after {THREE} failures")


@scenario("sync", "async", convention=True)
def ignored_is_neutral(lab: Lab) -> None:
    """An ignored exception is neither success nor failure: it neither opens nor resets."""
    subject = lab.subject(Settings(ignore=(Ignored,)))
    surfaced = subject.fail(error=Ignored).error
    lab.check(isinstance(surfaced, Ignored), f"it surfaces as {type(surfaced).__name__}")
    subject.fail(2 * THREE, Ignored)
    lab.check(not subject.rejects(), "ignored exceptions open it")
    fresh = lab.subject(Settings(ignore=(Ignored,)))
    fresh.fail(THREE - 1)
    fresh.fail(THREE, Ignored)
    fresh.fail()
    lab.check(fresh.rejects(), "ignored exceptions count as successes and reset the count")


@scenario("sync", "async")
def not_found_is_not_an_outage(lab: Lab) -> None:
    """With a predicate for status 500 and up, 404s never open it and 503s do."""

    class Status(Exception):
        def __init__(self, code: int) -> None:
            self.code = code

    def counts(error: BaseException) -> bool:
        return not isinstance(error, Status) or error.code >= 500

    subject = lab.subject(Settings(counts=counts))
    answer = subject.fail(5 * THREE, lambda: Status(404))
    lab.check(isinstance(answer.error, Status), "a 404 doesn't reach the caller as it is")
    lab.check(not subject.rejects(), "404s open it")
    subject.fail(THREE, lambda: Status(503))
    lab.check(subject.rejects(), "503s don't open it")


@scenario("sync")
def ctrl_c_surfaces(lab: Lab) -> None:
    """KeyboardInterrupt reaches the caller as it is and doesn't count."""
    subject = lab.subject()
    subject.fail(THREE - 1)
    error = subject.fail(error=KeyboardInterrupt).error
    lab.check(isinstance(error, KeyboardInterrupt), f"Ctrl-C surfaces as {type(error).__name__}")
    lab.check(not subject.rejects(), "Ctrl-C counts as a failure")
    fresh = lab.subject()
    fresh.fail(THREE - 1)
    fresh.fail(THREE, KeyboardInterrupt)
    fresh.fail()
    lab.check(fresh.rejects(), "Ctrl-C counts as a success and resets the count")


@scenario("async")
def cancelled_is_neutral(lab: Lab) -> None:
    """A cancelled call is neither success nor failure."""
    _neutral(lab, "a cancelled call", lambda subject: subject.start().cancel())


@scenario("async")
def closed_coroutine_is_neutral(lab: Lab) -> None:
    """A coroutine closed half-way (`GeneratorExit`) is neither success nor failure."""
    _neutral(lab, "a closed coroutine", lambda subject: subject.half_way().close())


def _neutral(lab: Lab, what: str, happen: Any) -> None:
    subject = lab.subject()
    for _ in range(2 * THREE):
        happen(subject)
    lab.check(not subject.rejects(), f"{what} counts as a failure")
    fresh = lab.subject()
    fresh.fail(THREE - 1)
    for _ in range(THREE):
        happen(fresh)
    fresh.fail()
    lab.check(fresh.rejects(), f"{what} counts as a success and resets the count")


@scenario()
def awaitables_are_judged_when_done(lab: Lab) -> None:
    """A plain function that returns an awaitable is judged by what the awaitable does."""
    breaker = lab.breaker()

    async def failing() -> None:
        raise Boom

    protected = lab.protect(breaker, lambda: failing())
    for _ in range(THREE):
        _await_quietly(lab, protected())
    lab.check(
        breaker.state() == "open",
        f"its awaitables failed {THREE} times and it is {breaker.state()}",
    )


@scenario("sync", "async")
def rejections_do_not_dilute(lab: Lab) -> None:
    """Rejected calls are not in the failure rate: after many, the same failures open it again."""
    lab.need(lab.adapter.has_rates, "no failure rate")
    subject = lab.subject(Settings(rate=Rate(failures=0.75, window=8, min_calls=4)))
    subject.opened(by=4)
    rejected = sum(subject.rejects() for _ in range(20))
    lab.check(rejected == 20, f"{20 - rejected} of 20 calls are let in while open")
    lab.pass_window()
    subject.succeed()
    lab.check(subject.state() == "closed", f"state is {subject.state()} after a good probe")
    subject.fail(4)
    lab.check(subject.rejects(), "the failures that opened it at first don't any more")


def _await_quietly(lab: Lab, awaitable: Awaitable[Any]) -> None:
    with contextlib.suppress(Exception):
        lab.run(awaitable)
