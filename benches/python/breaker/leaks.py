"""Whether anything is left behind after a great many calls of every path."""

import contextlib
import gc
import sys
from collections.abc import Callable
from typing import Any

from benches.python.figures import Effort, GaugeTable
from benches.python.functions import failing, failing_async, one, one_async
from benches.python.harness import Function, drive, reason
from benches.python.machine import resident_bytes

from . import item_paths, ours
from .coroutines import suspending
from .sync_calls import method

TABLE = "leaks"
WORST = "worst of all paths"
BYTES = "bytes a call"
REFERENCES = "references a call"

BATCHES = 3
#: This part of a batch goes before: by then every table has the size that it keeps.
WARM_UP = 10

Path = Callable[[object], object]


def table(effort: Effort) -> GaugeTable:
    """Growth of resident memory and of the argument's references, a call."""
    rows: dict[str, list[float | None]] = {}
    absent: dict[str, str] = {}
    for name, make in _paths().items():
        try:
            rows[name] = list(_growth(make(), effort.leak_calls))
        except Exception as error:
            absent[name] = reason(error)
    if rows:
        rows[WORST] = [max(row[column] or 0.0 for row in rows.values()) for column in range(3)]
    else:
        absent[WORST] = "no path could be run"
    about = (
        f"seawall's paths, {effort.leak_calls:,} calls each in {BATCHES} batches, after a warm-up: "
        "the batch that grew least. An object that is lost a call would show as 16 bytes or more, "
        "as one block; the argument or None with it as one reference (None is counted on 3.11)."
    )
    return GaugeTable(TABLE, about, [BYTES, "blocks a call", REFERENCES], rows, absent, digits=4)


def _growth(path: Path, calls: int) -> tuple[float, float, float]:
    """The least growth of three batches: a leak shows in each, a new arena of the heap in one."""
    argument = object()
    batch = calls // BATCHES
    for _ in range(batch // WARM_UP):
        path(argument)
    grown = []
    for _ in range(BATCHES):
        before = _held(argument)
        for _ in range(batch):
            path(argument)
        grown.append([(b - a) / batch for a, b in zip(before, _held(argument), strict=True)])
    memory, blocks, references = (min(column) for column in zip(*grown, strict=True))
    return memory, blocks, references


def _held(argument: object) -> tuple[int, int, int]:
    gc.collect()
    references = sys.getrefcount(argument) + sys.getrefcount(None)
    return resident_bytes(), sys.getallocatedblocks(), references


def _paths() -> dict[str, Callable[[], Path]]:
    return {
        "success": lambda: ours.count_window()(one),
        "success, time window": lambda: ours.time_window()(one),
        "success, keyword": _keyword,
        "success, method": _method,
        "failure": _failure,
        "rejection": lambda: _catching(ours.opened()(one)),
        "call": lambda: _with(ours.count_window().call, one),
        "try_call, failure": _failure_tried,
        "try_call, rejection": lambda: _with(ours.opened().try_call, one),
        "block": _block,
        "decorating": _decorating,
        "async success": lambda: _driving(ours.count_window()(one_async)),
        "async suspension": lambda: _driving(ours.count_window()(suspending)),
        "async failure": _failure_async,
        "async rejection": lambda: _driving(ours.opened()(one_async)),
        "async closed while suspended": lambda: _started(lambda it: it.close()),
        "async cancelled while suspended": lambda: _started(_throw),
        "async dropped while suspended": lambda: _started(id),
        "async block": _block_async,
        **item_paths.paths(),
    }


def _decorating() -> Path:
    """A wrapper made, used once and dropped, as a decorated closure is."""
    breaker = ours.count_window()

    def path(x: object) -> object:
        return breaker(one)(x)

    return path


def _keyword() -> Path:
    protected = ours.count_window()(one)
    return lambda x: protected(x=x)


def _method() -> Path:
    service: Any = type("Service", (), {"m": ours.count_window()(method)})()

    def path(x: object) -> object:
        return service.m(x)

    return path


def _failure() -> Path:
    """Each failure is followed by a success, so that the breaker stays closed."""
    breaker = ours.consecutive()
    fails, succeeds = _catching(breaker(failing)), breaker(one)
    return lambda x: (fails(x), succeeds(x))


def _failure_tried() -> Path:
    breaker = ours.consecutive()
    return lambda x: (breaker.try_call(failing, x), breaker.try_call(one, x))


def _failure_async() -> Path:
    breaker = ours.consecutive()
    fails, succeeds = _driving(breaker(failing_async)), _driving(breaker(one_async))
    return lambda x: (fails(x), succeeds(x))


def _catching(protected: Function) -> Path:
    def path(x: object) -> None:
        with contextlib.suppress(Exception):
            protected(x)

    return path


def _with(call: Function, function: Function) -> Path:
    return lambda x: call(function, x)


def _block() -> Path:
    breaker = ours.count_window()

    def path(x: object) -> None:
        with breaker:
            one(x)

    return path


def _block_async() -> Path:
    breaker = ours.count_window()

    async def block(x: object) -> None:
        async with breaker:
            one(x)

    return lambda x: drive(block(x))


def _driving(protected: Function) -> Path:
    return _catching(lambda x: drive(protected(x)))


def _started(then: Callable[[Any], object]) -> Path:
    """Starts a call that suspends, and does ``then`` with it instead of resuming it."""
    protected = ours.count_window()(suspending)

    def path(x: object) -> None:
        coroutine = protected(x)
        coroutine.send(None)
        then(coroutine)

    return path


def _throw(coroutine: Any) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        coroutine.throw(KeyboardInterrupt())
