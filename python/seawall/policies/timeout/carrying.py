"""Carries the context over to threads, which do not inherit it.

Context variables follow ``create_task`` and ``asyncio.to_thread``; a deadline, a test's clock and
whatever else lives in one is not there in ``run_in_executor``, ``Executor.submit`` and ``Thread``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextvars import copy_context
from functools import update_wrapper
from typing import Any, ParamSpec, TypeVar

__all__ = ["CarryingExecutor", "carried"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def carried(function: Callable[_P, _R], /) -> Callable[_P, _R]:
    """The function, to be run in the context of this moment, wherever it will be called.

    For ``loop.run_in_executor(None, carried(work))``, ``Thread(target=carried(work))`` and the
    like. Each call has a copy of the context: what it sets stays its own, and calls may overlap.

    Raises:
        TypeError: It can't be called.
    """
    if not callable(function):
        raise TypeError(f"carried() takes what can be called, not {function!r}")
    context = copy_context()

    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        return context.copy().run(function, *args, **kwargs)

    return update_wrapper(run, function)


class CarryingExecutor(Executor):
    """An executor whose calls run in the context of whoever submits them.

    ``loop.set_default_executor`` takes none but a ``ThreadPoolExecutor``; give this one to
    ``run_in_executor`` instead.

    Args:
        executor: Where the calls run; an executor of threads. It is shut down with this one.

    Raises:
        TypeError: It runs calls in other processes, to which no context can go.
    """

    def __init__(self, executor: Executor, /) -> None:
        given: Any = executor
        if not isinstance(given, Executor) or _is_of_processes(given):
            raise TypeError(
                f"CarryingExecutor takes an executor of threads, not {executor!r}: "
                "a context can't be carried to another process"
            )
        self._executor = executor

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        """As of any executor."""
        return self._executor.submit(carried(fn), *args, **kwargs)

    def map(
        self,
        fn: Callable[..., _R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **options: Any,
    ) -> Iterator[_R]:
        """As of any executor."""
        return self._executor.map(
            carried(fn), *iterables, timeout=timeout, chunksize=chunksize, **options
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shuts the executor down."""
        self._executor.shutdown(wait, cancel_futures=cancel_futures)


def _is_of_processes(executor: Executor) -> bool:
    # Who has one has loaded its module.
    processes: Any = sys.modules.get("concurrent.futures.process")
    return processes is not None and isinstance(executor, processes.ProcessPoolExecutor)
