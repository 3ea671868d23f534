"""What importing costs, in fresh interpreters, from ``-X importtime``."""

import statistics
import subprocess
import sys

from benches.python.figures import Effort, GaugeTable
from benches.python.machine import unpinned

from .peers import PEERS

TABLE = "import time"
MEDIAN = "median"
PACKAGE = "seawall"
EXTENSION = "seawall._core"


def table(effort: Effort) -> GaugeTable:
    """Milliseconds, cumulative: what a module imports in its turn counts as its own."""
    wanted = {PACKAGE: PACKAGE, EXTENSION: PACKAGE}
    wanted |= {peer.module: peer.module for peer in PEERS}
    taken: dict[str, list[float]] = {name: [] for name in wanted}
    absent: dict[str, str] = {}
    for number in range(effort.import_rounds + 1):
        for module in dict.fromkeys(wanted.values()):
            found = _cumulative(module)
            for name, imported in wanted.items():
                if imported != module:
                    continue
                if name not in found:
                    absent[name] = "did not import"
                elif number:  # the first round fills the caches
                    taken[name].append(found[name])
    rows: dict[str, list[float | None]] = {
        name: [statistics.median(values), min(values)] for name, values in taken.items() if values
    }
    about = (
        f"ms, median and least of {effort.import_rounds} fresh interpreters, byte code cached. "
        "Modules of the standard library that were not loaded yet count."
    )
    return GaugeTable(TABLE, about, [MEDIAN, "least"], rows, absent, digits=2)


def _cumulative(module: str) -> dict[str, float]:
    command = [sys.executable, "-I", "-X", "importtime", "-c", f"import {module}"]
    with unpinned():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {}
    found = {}
    for line in done.stderr.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if len(parts) == 3 and parts[1].strip().isdigit():
            found[parts[2].strip()] = int(parts[1]) / 1000
    return found
