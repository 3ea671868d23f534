"""throttled-py: several algorithms over stores; a class for each kind of function."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import importlib
import inspect
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from benches.matrix.adapter import Adapter, Function
from benches.matrix.policies import Guard, Pace

_serial = itertools.count()


def _made(package: str, pace: Pace, key: str | None) -> Any:
    from throttled import per_duration

    # It counts whole seconds; what is there at once is said apart.
    seconds = max(pace.per, 1)
    limit = round(pace.limit * seconds / pace.per)
    return importlib.import_module(package).Throttled(
        key=key,
        using="gcra",
        quota=per_duration(timedelta(seconds=seconds), limit, pace.limit),
        timeout=pace.wait or None,
    )


class ThrottledPy(Adapter):
    """By the same algorithm as seawall's."""

    name = "throttled-py"
    module = "throttled"
    policies = ("rate limit",)
    one_object = False
    caveat = "GCRA, in the memory store."

    def rate_limit(self, pace: Pace) -> Guard:
        from throttled.exceptions import LimitedError

        key = f"matrix-{next(_serial)}"

        def protect(function: Function) -> Function:
            of_tasks = inspect.iscoroutinefunction(function)
            package = "throttled.asyncio" if of_tasks else "throttled"
            protected: Function = _made(package, pace, key)(function)
            return protected

        return Guard(protect, LimitedError)

    def keyed_rate_limit(self, pace: Pace, keys: int) -> Callable[[str], bool]:
        made = _made("throttled", pace, None)
        return lambda key: not made.limit(key).limited
