"""What a state for each key costs: finding it among many, and keeping it.

Run as a module it is the child process that measures memory: ``python -m … MOST KEYS``.
"""

import gc
import json
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

from benches.python.figures import Effort, GaugeTable
from benches.python.machine import resident_bytes

from . import ours

LOOKUP = "keyed lookup"
MEMORY = "memory of keys"
HOT = "1,000 keys of 100,000, in turns"
ALL = "all 100,000 keys, in no order"
BY_NAME = "seawall key by name, over one circuit"
BY_CALLABLE = "seawall key by callable, over one circuit"
DICT = "a dict's own lookup"
BEYOND_DICT = "seawall key by name, beyond a dict's"
EACH = "bytes a key"
MORE = "bytes a key that came and went"
KEPT = "seawall breaker, count window"

KEYS = 100_000
HOT_KEYS = 1_000
MOST = 10_000


def lookup(effort: Effort) -> GaugeTable:
    """Nanoseconds a call costs more because its circuit is looked up, medians of turns."""
    keys = [f"host-{number}.example" for number in range(KEYS)]
    random.Random(0).shuffle(keys)
    room = 2 * KEYS

    def protected(**settings: Any) -> Callable[[str], object]:
        made: Callable[[str], object] = ours.count_window(**settings)(_function())
        return made

    table = dict.fromkeys(keys, keys)
    contenders: dict[str, Callable[[str], object]] = {
        "bare": _function(),
        "dict": lambda host: table[host],
        "plain": protected(),
        "name": protected(key="host", max_keys=room),
        "callable": protected(key=lambda host: host, max_keys=room),
    }
    rows = {}
    for label, turns in ((HOT, keys[:HOT_KEYS] * (KEYS // HOT_KEYS // 5)), (ALL, keys)):
        for each in contenders.values():
            _spend(each, keys)
        taken: dict[str, list[float]] = {name: [] for name in contenders}
        gc.collect()
        gc.disable()
        try:
            for _ in range(max(5, effort.rounds // 10)):
                for name, each in contenders.items():
                    taken[name].append(_spend(each, turns))
        finally:
            gc.enable()
        cost = {name: statistics.median(spent) for name, spent in taken.items()}
        by_name, own = cost["name"] - cost["plain"], cost["dict"] - cost["bare"]
        rows[label] = [by_name, cost["callable"] - cost["plain"], own, by_name - own]
    about = (
        f"Nanoseconds a call, medians of turns in one process, with {KEYS:,} keys known. Where "
        "every call goes to another of them, what costs is memory that no processor cache holds: "
        "a dict of as many keys pays it too, and stands beside."
    )
    return GaugeTable(LOOKUP, about, [BY_NAME, BY_CALLABLE, DICT, BEYOND_DICT], rows)


def _function() -> Callable[[str], object]:
    namespace: dict[str, Any] = {}
    exec("def function(host): pass", namespace)  # noqa: S102 - a code object a contender
    made: Callable[[str], object] = namespace["function"]
    return made


def _spend(function: Callable[[str], object], keys: Sequence[str]) -> float:
    start = perf_counter_ns()
    for key in keys:
        function(key)
    return (perf_counter_ns() - start) / len(keys)


def memory(effort: Effort) -> GaugeTable:
    """Bytes a key, and whether keys that come and go leave anything; in a process of its own."""
    passing = effort.leak_calls
    command = [sys.executable, "-m", __spec__.name, str(KEYS), str(passing)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    about = (
        f"Resident memory. {KEYS:,} keys with a circuit each, the keys themselves not counted; "
        f"then {passing:,} further keys through a breaker that keeps {MOST:,}."
    )
    columns = [EACH, MORE]
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["failed"])[-1]
        return GaugeTable(MEMORY, about, columns, {}, {KEPT: said})
    return GaugeTable(MEMORY, about, columns, {KEPT: json.loads(done.stdout)}, digits=2)


def measure(many: int, passing: int) -> list[float]:
    """Bytes a key that is kept, and a key that came and went."""
    keys = [f"host-{number}.example" for number in range(many)]
    for key in keys:
        hash(key)
    touch = ours.count_window(key="host", max_keys=2 * many)(_function())
    touch("warm")
    gc.collect()
    before = resident_bytes()
    _spend(touch, keys)
    gc.collect()
    each = (resident_bytes() - before) / many
    few = ours.count_window(key="host", max_keys=MOST)(_function())
    for number in range(3 * MOST):
        few(f"first-{number}")
    gc.collect()
    before = resident_bytes()
    for number in range(passing):
        few(f"further-{number}")
    gc.collect()
    return [each, (resident_bytes() - before) / passing]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
