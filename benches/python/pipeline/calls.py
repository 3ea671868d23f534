"""What several policies cost a call that goes well, fused and stacked.

Where a race has several contenders of seawall's that retry, retries publish that they run.
"""

import asyncio
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from benches.python.functions import Decorator, MakeDecorator, always, nothing, one, one_async
from benches.python.harness import (
    AGAIN,
    BARE,
    AsyncFunction,
    Drive,
    Function,
    Race,
    Setup,
    drive,
)
from benches.python.hosts import on_asyncio
from benches.python.ours import fresh_name, package, pipeline

SYNC = "pipeline, sync"
ASYNC = "pipeline, async"
ALONE = "pipeline, sync, one retry"
ALONE_ASYNC = "pipeline, async, one retry"
CONTAINS = "pipeline, sync, three policies"
CONTAINS_ASYNC = "pipeline, async, three policies"
DIFFERS = "pipeline, sync, four policies"
DIFFERS_ASYNC = "pipeline, async, four policies"
AMBIENT = "pipeline, inside of a deadline"

FLOOR = "seawall empty pipeline"
BREAKER = "seawall breaker"
TIMEOUT = "seawall timeout"
BREAKERS = "seawall breaker > breaker > breaker > breaker"
RETRY = "seawall retry"
BOTH = "seawall retry > breaker"
STACKED = "seawall retry > breaker, two decorators"
FOUR = "seawall timeout > retry > breaker > timeout"
BULKHEAD = "seawall bulkhead"
LIMIT = "seawall rate limit"
THREE = "seawall retry > breaker > bulkhead"
DIFFERENT = "seawall retry > breaker > rate limit > bulkhead"
CONTAINED = "tenacity > pybreaker > threading.Semaphore"
TENACITY = "tenacity > pybreaker"
STAMINA = "stamina > circuitbreaker"
ASYNC_TENACITY = "tenacity > circuitbreaker"
ASYNC_CONTAINED = "tenacity > circuitbreaker > asyncio.Semaphore"
PYRESILIENCE = "pyresilience: retry, breaker"
PYRESILIENCE_CONTAINED = "pyresilience: retry, breaker, bulkhead"

NEVER = 1 << 30
PERMITS = 10


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


def bulkhead() -> Any:
    """More permits than calls."""
    return package().Bulkhead(fresh_name("bulkhead"), max_concurrent=PERMITS)


def rate_limit() -> Any:
    """More a second than there are calls; each reads the precise clock."""
    return package().RateLimit(fresh_name("limit"), 100_000_000)


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


def _semaphore() -> Decorator:
    semaphore = threading.Semaphore(PERMITS)

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with semaphore:
                return function(*args, **kwargs)

        return wrapper

    return decorate


def _async_semaphore() -> Decorator:
    semaphore = asyncio.Semaphore(PERMITS)

    def decorate(function: AsyncFunction) -> AsyncFunction:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            async with semaphore:
                return await function(*args, **kwargs)

        return wrapper

    return decorate


def _pyresilience(**more: Any) -> Decorator:
    pyresilience = import_module("pyresilience")
    made: Decorator = pyresilience.resilient(
        **more,
        retry=pyresilience.RetryConfig(max_attempts=3, retry_on=(ValueError,)),
        circuit_breaker=pyresilience.CircuitBreakerConfig(failure_threshold=NEVER),
    )
    return made


def _contained_pyresilience() -> Decorator:
    config = import_module("pyresilience").BulkheadConfig(max_concurrent=PERMITS)
    return _pyresilience(bulkhead=config)


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
    BULKHEAD: bulkhead,
    LIMIT: rate_limit,
    TIMEOUT: timeout,
}
CONTAINING: dict[str, MakeDecorator] = {
    THREE: lambda: pipeline(retry(), breaker(), bulkhead()),
}
DIFFERING: dict[str, MakeDecorator] = {
    DIFFERENT: lambda: pipeline(retry(), breaker(), rate_limit(), bulkhead()),
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
STACKED_THREE: dict[str, MakeDecorator] = {
    CONTAINED: stack(_tenacity, _pybreaker, _semaphore),
    PYRESILIENCE_CONTAINED: _contained_pyresilience,
}
STACKS_ASYNC: dict[str, MakeDecorator] = {
    ASYNC_TENACITY: stack(_tenacity, _circuitbreaker),
    STAMINA: stack(_stamina, _circuitbreaker),
    PYRESILIENCE: _pyresilience,
}
STACKED_THREE_ASYNC: dict[str, MakeDecorator] = {
    ASYNC_CONTAINED: stack(_tenacity, _circuitbreaker, _async_semaphore),
    PYRESILIENCE_CONTAINED: _contained_pyresilience,
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


def _both_ways(
    sync: str,
    asynchronous: str,
    ours: Mapping[str, MakeDecorator],
    theirs: Mapping[str, MakeDecorator],
    theirs_async: Mapping[str, MakeDecorator],
) -> list[Race]:
    """The same pipelines before a plain function and before a coroutine function."""
    mine = {**FIRST, **ours}
    return [
        Race(sync, _alone, _entries({**mine, **theirs}, one, "f(x)")),
        Race(
            asynchronous,
            _alone,
            _entries({**mine, **theirs_async}, one_async, "await f(x)"),
            asynchronous=True,
            host=on_asyncio,
        ),
    ]


RACES = [
    Race(ALONE, _alone, _entries(FIRST | WHOLE | STACKS, one, "f(x)")),
    Race(SYNC, _many, _entries(FIRST | FUSED | CONTAINING | WHOLE | STACKS, one, "f(x)")),
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
        _entries(FIRST | FUSED | CONTAINING | WHOLE | STACKS_ASYNC, one_async, "await f(x)"),
        asynchronous=True,
        host=on_asyncio,
    ),
    *_both_ways(CONTAINS, CONTAINS_ASYNC, CONTAINING, STACKED_THREE, STACKED_THREE_ASYNC),
    *_both_ways(DIFFERS, DIFFERS_ASYNC, DIFFERING, {}, {}),
    Race(
        AMBIENT,
        "The whole race takes place inside of `with seawall.deadline(3600)`.",
        _entries(FIRST | WHOLE, one, "f(x)"),
        host=in_a_deadline,
    ),
]
