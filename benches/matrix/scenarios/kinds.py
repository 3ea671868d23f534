"""Kinds of functions: protected, or refused when decorated."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

from benches.matrix.adapter import Boom, Settings
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario

THREE = Settings().threshold


@scenario()
def decorating_calls_nothing(lab: Lab) -> None:
    """`@breaker` does not run the function, and gives back something to call."""
    called = []

    def function() -> None:
        called.append(1)

    async def async_function() -> None:
        called.append(1)

    decorated = lab.breaker().decorate(async_function if lab.kind == "async" else function)
    lab.check(not called, "decorating runs the function")
    lab.check(callable(decorated), f"decorating gives a {type(decorated).__name__}")


@scenario("async")
def no_loop_needed_to_decorate(lab: Lab) -> None:
    """Breakers are made and functions decorated at import, without a running event loop."""
    program = (
        "from benches.matrix.adapter import Settings\n"
        "from benches.matrix.libraries import adapter\n"
        f"library = adapter({lab.adapter_path!r})\n"
        "async def function(): return 7\n"
        "with library.clock():\n"
        "    protected = library.make(Settings()).protect(function)\n"
        "    import asyncio\n"
        "    assert asyncio.run(protected()) == 7\n"
        "    assert asyncio.run(protected()) == 7\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    last = done.stderr.strip().rpartition("\n")[2]
    lab.check(done.returncode == 0, f"without a running loop: {last}")


@scenario("async")
def stays_a_coroutine_function(lab: Lab) -> None:
    """What was a coroutine function is one after it is decorated."""

    async def function() -> None: ...

    protected = lab.breaker().protect(function)
    lab.check(inspect.iscoroutinefunction(protected), "iscoroutinefunction() is False")


@scenario()
def one_breaker_for_both(lab: Lab) -> None:
    """One breaker protects sync and async functions, and they share its state."""
    lab.need(lab.adapter.one_object, "a class for sync and another for async")
    lab.need(len(lab.adapter.kinds) == 2, f"{lab.adapter.kinds[0]} functions only")
    breaker = lab.breaker()

    async def failing() -> None:
        raise Boom

    protected = breaker.protect(failing)
    fine = breaker.protect(lambda: 1)
    for _ in range(THREE):
        _quietly(lambda: lab.run(protected()))
    error = _quietly(fine)
    lab.check(isinstance(error, breaker.open_error), "async failures don't open it for sync calls")


@scenario()
def call_knows_the_kind_each_time(lab: Lab) -> None:
    """`breaker.call` treats a function by what it is, not by what had its address before."""
    breaker = lab.breaker()

    async def run() -> None:
        for turn in range(200):
            if turn % 2:
                function: Callable[[], Any] = lambda: turn  # noqa: B023, E731
            else:

                async def function() -> int:
                    return turn  # noqa: B023

            answer = breaker.call(function)
            if inspect.isawaitable(answer):
                try:
                    answer = await answer
                except TypeError as error:
                    lab.check(False, f"a sync function at an async one's address: {error}")
            if inspect.isawaitable(answer):
                answer.close()  # type: ignore[attr-defined]
                lab.check(False, "an async function at a sync one's address comes back unawaited")
            lab.check(answer == turn, f"got {answer!r}")
            del function

    lab.run(run())


@scenario("async")
def rejected_leaves_no_coroutine(lab: Lab) -> None:
    """A rejected call leaves no coroutine behind that was never awaited."""
    subject = lab.subject().opened()

    async def function() -> None: ...

    async def go() -> None:
        for _ in range(3):
            try:
                await subject._call(function)
            except subject.breaker.open_error:
                await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lab.run(go())
        import gc

        gc.collect()
    lab.check(not caught, f"{len(caught)} warnings: {caught and caught[0].message}")


def _quietly(work: Callable[[], Any]) -> Exception | None:
    try:
        work()
    except Exception as error:
        return error
    return None
