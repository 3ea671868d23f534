"""Memory a breaker takes: many of them in a fresh interpreter, before and after use.

Run as a module it is the child process: ``python -m benches.python.breaker.memory NAME COUNT``.
"""

import contextlib
import gc
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

from benches.python.figures import Effort, GaugeTable
from benches.python.machine import resident_bytes
from benches.python.ours import package

from . import names
from .peers import PEERS

TABLE = "memory"
RESIDENT = "resident, used"
CALLS = 120
FAIL_EVERY = 12


def table(effort: Effort) -> GaugeTable:
    """Bytes a breaker, each contender in a process of its own."""
    rows: dict[str, list[float | None]] = {}
    absent: dict[str, str] = {}
    for name in [names.COUNT, names.TIME, *(peer.name for peer in PEERS)]:
        command = [sys.executable, "-m", __spec__.name, name, str(effort.breakers)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            rows[name] = json.loads(done.stdout)
        else:
            absent[name] = (done.stderr.strip().splitlines() or ["failed"])[-1]
    about = (
        f"Bytes a breaker, over {effort.breakers:,} of them in a fresh interpreter. Resident "
        f"memory counts everything, tracemalloc only what Python's allocators hand out. *Used*: "
        f"{CALLS} calls went through each, one in {FAIL_EVERY} failed. seawall and interlock-cb "
        "keep the outcomes of the last 100 calls, the time window those of a minute, the others "
        "a count of failures in a row."
    )
    columns = ["tracemalloc, new", "resident, new", RESIDENT]
    return GaugeTable(TABLE, about, columns, rows, absent, digits=0)


def _makers() -> dict[str, Callable[[], tuple[Callable[[str], Any], Callable[..., object]]]]:
    seawall = {
        names.COUNT: lambda: (_counting(), _call),
        names.TIME: lambda: (_timing(), _call),
    }
    return seawall | {peer.name: lambda peer=peer: (peer.maker(), peer.use) for peer in PEERS}


def _counting() -> Callable[[str], Any]:
    seawall = package()
    make, window = seawall.CircuitBreaker, seawall.calls(100)
    return lambda name: make(name, failure_rate=0.5, window=window, min_calls=20)


def _timing() -> Callable[[str], Any]:
    seawall = package()
    make, window = seawall.CircuitBreaker, seawall.seconds(60)
    return lambda name: make(name, failure_rate=0.5, window=window, min_calls=20)


def _call(breaker: Any, function: Callable[..., object], x: object) -> object:
    result: object = breaker.call(function, x)
    return result


def _divide(by: int) -> float:
    return 1 / by


def _use(breaker: Any, use: Callable[..., object], calls: int) -> None:
    for number in range(calls):
        with contextlib.suppress(ZeroDivisionError):
            use(breaker, _divide, number % FAIL_EVERY)


def measure(name: str, many: int) -> list[float]:
    """Bytes a breaker: traced, resident when new, resident when used."""
    make, use = _makers()[name]()
    for number in range(50):
        _use(make(f"warm-{number}"), use, CALLS)
    held: list[Any] = [None] * many
    labels = [f"breaker-{number}" for number in range(many)]
    gc.collect()
    before = resident_bytes()
    for number in range(many):
        held[number] = make(labels[number])
    new = resident_bytes() - before
    for breaker in held:
        _use(breaker, use, CALLS)
    gc.collect()
    used = resident_bytes() - before
    return [_traced(make), new / many, used / many]


def _traced(make: Callable[[str], Any], many: int = 1_000) -> float:
    held: list[Any] = [None] * many
    labels = [f"traced-{number}" for number in range(many)]
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(many):
        held[number] = make(labels[number])
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / many


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
