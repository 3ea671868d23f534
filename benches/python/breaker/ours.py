"""seawall's contenders. The package is imported when one is built, so that peers run without it."""

import contextlib
from collections.abc import Callable
from typing import Any

from benches.python.ours import fresh_name, package, pipeline

from . import names

HOUR = 3600


def breaker(**settings: Any) -> Any:
    """A breaker with a name of its own."""
    return package().CircuitBreaker(fresh_name(), **settings)


def count_window(**changes: Any) -> Any:
    """The breaker of the bars: failure rate over the last 100 calls."""
    seawall = package()
    settings = {"failure_rate": 0.5, "window": seawall.calls(100), "min_calls": 20}
    return breaker(**(settings | changes))


def consecutive() -> Any:
    """Opens after so many failures in a row that no scenario gets there."""
    return breaker(failure_threshold=1_000)


def time_window() -> Any:
    """Failure rate over the last minute."""
    return breaker(failure_rate=0.5, window=package().seconds(60), min_calls=20)


def slow_calls() -> Any:
    """Slow-call rate over the last 100 calls: needs two readings of an exact clock."""
    return breaker(
        slow_call_rate=0.5, slow_call_duration=1.0, window=package().calls(100), min_calls=20
    )


def shared() -> Any:
    """State in the host-wide region."""
    return count_window(shared="host")


def tolerant() -> dict[str, Callable[[], Any]]:
    """Breakers that live through a run of failures with a success among every 33 calls.

    A full window is never all failures then, so a rate of 1.0 is never reached.
    """
    return {
        names.COUNT: lambda: count_window(failure_rate=1.0, min_calls=100),
        names.CONSECUTIVE: consecutive,
        names.TIME: lambda: breaker(
            failure_rate=1.0, window=package().seconds(60), min_calls=1_000
        ),
    }


def plain() -> dict[str, Callable[[], Any]]:
    """Every kind of closed breaker that the success races compare, and the floors."""
    return {
        names.FLOOR: pipeline,
        names.COUNT: count_window,
        names.CONSECUTIVE: consecutive,
        names.TIME: time_window,
        names.SLOW: slow_calls,
        names.ONE_FUSED: lambda: pipeline(count_window()),
        names.TWO_FUSED: lambda: pipeline(count_window(), count_window()),
        names.SHARED: shared,
    }


def opened() -> Any:
    """A breaker that opened because calls failed, and stays open for the whole run."""
    made = breaker(failure_threshold=1, open_duration=HOUR)
    with contextlib.suppress(ZeroDivisionError):
        made.call(divide, 0)
    return made


def forced() -> Any:
    """A breaker that an operator opened."""
    made = count_window()
    made.force_open()
    return made


def divide(by: int) -> float:
    """Fails for nought."""
    return 1 / by
