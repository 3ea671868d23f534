"""What several policies cost a call that goes well, fused and stacked.

Every race has a retry in the process beside others, so retries publish that they run.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from benches.python.functions import Decorator, MakeDecorator, always, nothing, one, one_async
from benches.python.harness import AGAIN, BARE, Drive, Function, Race, Setup, drive
from benches.python.hosts import on_asyncio
from benches.python.ours import fresh_name, package, pipeline

SYNC = "pipeline, sync"
ASYNC = "pipeline, async"
ALONE = "pipeline, sync, one retry"
ALONE_ASYNC = "pipeline, async, one retry"
AMBIENT = "pipeline, inside of a deadline"

FLOOR = "seawall empty pipeline"
BREAKER = "seawall breaker"
TIMEOUT = "seawall timeout"
BREAKERS = "seawall breaker > breaker > breaker > breaker"
RETRY = "seawall retry"
BOTH = "seawall retry > breaker"
STACKED = "seawall retry > breaker, two decorators"
FOUR = "seawall timeout > retry > breaker > timeout"
TENACITY = "tenacity > pybreaker"
STAMINA = "stamina > circuitbreaker"
ASYNC_TENACITY = "tenacity > circuitbreaker"
PYRESILIENCE = "pyresilience: retry, breaker"

NEVER = 1 << 30


def breaker() -> Any:
    """Failure rate over the last 100 calls."""
    seawall = package()
    return seawall.CircuitBreaker(fresh_name(), failure_rate=0.5, window=seawall.calls(100))


def retry() -> Any:
    """Three attempts."""
    return package().Retry(fresh_name("retry"), on=ValueError, attempts=3)


def timeout(seconds: float = 60.0) -> Any:
    """Longer than any scenario."""
    return package().timeout(seconds, name=fresh_name("timeout"))


def _tenacity() -> Decorator:
    tenacity = import_module("tenacity")
    made: Decorator = tenacity.retry(
        retry=tenacity.retry_if_exception_type(ValueError), stop=tenacity.stop_after_attempt(3)
    )
    return made


def _stamina() -> Decorator:
    made: Decorator = import_module("stamina").retry(on=ValueError, attempts=3)
    return made


def _pybreaker() -> Decorator:
    made: Decorator = import_module("pybreaker").CircuitBreaker(fail_max=NEVER)
    return made


def _circuitbreaker() -> Decorator:
    made: Decorator = import_module("circuitbreaker").CircuitBreaker(
        failure_threshold=NEVER, name=fresh_name()
    )
    return made


def _pyresilience() -> Decorator:
    pyresilience = import_module("pyresilience")
    made: Decorator = pyresilience.resilient(
        retry=pyresilience.RetryConfig(max_attempts=3, retry_on=(ValueError,)),
        circuit_breaker=pyresilience.CircuitBreakerConfig(failure_threshold=NEVER),
    )
    return made


def stack(*makers: Callable[[], Decorator]) -> MakeDecorator:
    """Decorators one around the other, outermost first."""

    def make() -> Decorator:
        made = [maker() for maker in makers]

        def decorate(function: Function) -> Function:
            for decorator in reversed(made):
                function = decorator(function)
            return function

        return decorate

    return make


FIRST: dict[str, MakeDecorator] = {
    BARE: always(nothing),
    AGAIN: always(nothing),
    FLOOR: pipeline,
    BREAKER: breaker,
    BREAKERS: lambda: pipeline(breaker(), breaker(), breaker(), breaker()),
    TIMEOUT: timeout,
}
FUSED: dict[str, MakeDecorator] = {
    RETRY: retry,
    BOTH: lambda: pipeline(retry(), breaker()),
    STACKED: stack(retry, breaker),
}
WHOLE: dict[str, MakeDecorator] = {
    FOUR: lambda: pipeline(timeout(), retry(), breaker(), timeout(30.0)),
}
STACKS: dict[str, MakeDecorator] = {
    TENACITY: stack(_tenacity, _pybreaker),
    STAMINA: stack(_stamina, _circuitbreaker),
    PYRESILIENCE: _pyresilience,
}
STACKS_ASYNC: dict[str, MakeDecorator] = {
    ASYNC_TENACITY: stack(_tenacity, _circuitbreaker),
    STAMINA: stack(_stamina, _circuitbreaker),
    PYRESILIENCE: _pyresilience,
}


def _entries(
    made: Mapping[str, MakeDecorator], function: Function, body: str
) -> dict[str, Callable[[], Setup]]:
    def entry(make: MakeDecorator) -> Callable[[], Setup]:
        return lambda: Setup(body, f=make()(function))

    return {name: entry(make) for name, make in made.items()}


@contextmanager
def in_a_deadline() -> Iterator[Drive]:
    """An hour is left to everything inside."""
    with package().deadline(3600.0):
        yield drive


_many = "It succeeds. Retries can be inside of one another here, and publish that they run."
_alone = "It succeeds, and there is no second retry in the process."

RACES = [
    Race(ALONE, _alone, _entries(FIRST | WHOLE | STACKS, one, "f(x)")),
    Race(SYNC, _many, _entries(FIRST | FUSED | WHOLE | STACKS, one, "f(x)")),
    Race(
        ALONE_ASYNC,
        _alone,
        _entries(FIRST | WHOLE | STACKS_ASYNC, one_async, "await f(x)"),
        asynchronous=True,
        host=on_asyncio,
    ),
    Race(
        ASYNC,
        _many,
        _entries(FIRST | FUSED | WHOLE | STACKS_ASYNC, one_async, "await f(x)"),
        asynchronous=True,
        host=on_asyncio,
    ),
    Race(
        AMBIENT,
        "The whole race takes place inside of `with seawall.deadline(3600)`.",
        _entries(FIRST | WHOLE, one, "f(x)"),
        host=in_a_deadline,
    ),
]
