"""Retries: how often, for how long, and of whose calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from benches.matrix.adapter import Boom, Ignored
from benches.matrix.calls import Calls, until
from benches.matrix.lab import Lab
from benches.matrix.policies import Tries
from benches.matrix.scenarios.scenario import scenario

_retry = partial(scenario, policy="retry")


class Runs:
    """A function that fails so often, and counts how often it was called."""

    def __init__(self, lab: Lab, failures: int = 1_000, error: type[Exception] = Boom) -> None:
        self.count = 0
        self._lab = lab
        self._failures = failures
        self._error = error

    @property
    def body(self) -> Callable[[], Any]:
        """Of the lab's kind."""
        return self._async_body if self._lab.kind == "async" else self._sync_body

    def made_by(self, calls: Calls) -> BaseException | None:
        """Makes one call, and says what it raised."""
        return _raised(self._lab, calls, self.body)

    def _sync_body(self) -> str:
        self.count += 1
        if self.count <= self._failures:
            raise self._error(f"number {self.count}")
        return "value"

    async def _async_body(self) -> str:
        return self._sync_body()


def _raised(lab: Lab, calls: Calls, body: Callable[[], Any]) -> BaseException | None:
    try:
        answer = calls.call(body)
        if lab.kind == "async":
            lab.run(answer)
    except Exception as error:
        return error
    return None


def _trying(lab: Lab, tries: Tries) -> Calls:
    return lab.guarded(lambda: lab.adapter.retry(tries))


@_retry("sync", "async")
def three_attempts_are_three_calls(lab: Lab) -> None:
    """Told to make three attempts, it calls three times, the first call included."""
    runs = Runs(lab)
    runs.made_by(_trying(lab, Tries(attempts=3)))
    lab.check(runs.count == 3, f"it calls {runs.count} times")


@_retry("sync", "async", convention=True)
def the_last_error_is_the_callers(lab: Lab) -> None:
    """When the attempts are used up the caller gets the function's own last error."""
    runs = Runs(lab)
    error = runs.made_by(_trying(lab, Tries(attempts=3)))
    lab.check(isinstance(error, Boom), f"it gets {type(error).__name__}")
    lab.check("number 3" in str(error), f"it gets the error of an earlier attempt: {error}")


@_retry("sync", "async")
def what_is_never_tried_again_is_not(lab: Lab) -> None:
    """An exception that was named as never to be tried again goes through at once."""
    runs = Runs(lab, error=Ignored)
    error = runs.made_by(_trying(lab, Tries(never=Ignored)))
    lab.check(runs.count == 1, f"it calls {runs.count} times")
    lab.check(isinstance(error, Ignored), f"the caller gets {type(error).__name__}")


@_retry("async")
def cancellation_is_not_tried_again(lab: Lab) -> None:
    """A cancelled call ends, also where everything but one exception is tried again."""
    calls = _trying(lab, Tries(never=Ignored))
    flight = calls.start()
    lab.check(flight.entered, "it is not called")
    flight.cancel()
    lab.check(flight.done, "the cancelled call is made again, and goes on")


@_retry("sync", "async")
def no_attempt_begins_too_late(lab: Lab) -> None:
    """With half a second and 0.2 s between attempts it gives up by then: no sleep overshoots."""
    calls = _trying(lab, Tries(attempts=100, delay=0.2, max_duration=0.5))
    runs = Runs(lab)
    began = time.monotonic()
    runs.made_by(calls)
    took = time.monotonic() - began
    lab.check(runs.count >= 2, f"it calls {runs.count} times")
    lab.check(took <= 0.55, f"it takes {took:.2f} s")


@_retry("sync", "async")
def concurrent_calls_share_nothing(lab: Lab) -> None:
    """Five calls at once of one function have as many attempts each as one by itself."""
    calls = _trying(lab, Tries(attempts=3, delay=0.05))
    alone = Runs(lab)
    alone.made_by(calls)
    runs = [Runs(lab) for _ in range(5)]
    made = [lab.beside(partial(each.made_by, calls)) for each in runs]
    until(lambda: all(each.done() for each in made))
    counts = [each.count for each in runs]
    lab.check(counts == [alone.count] * 5, f"they have {counts}, one by itself {alone.count}")


@_retry("sync", "async", convention=True)
def nested_retries_do_not_multiply(lab: Lab) -> None:
    """Three attempts inside of three attempts are not nine calls."""
    runs = Runs(lab)
    inner, outer = _trying(lab, Tries(attempts=3)), _trying(lab, Tries(attempts=3))

    def inside() -> Any:
        return inner.call(runs.body)

    async def inside_async() -> Any:
        return await inner.call(runs.body)

    _raised(lab, outer, inside_async if lab.kind == "async" else inside)
    lab.check(runs.count <= 5, f"it calls {runs.count} times")
