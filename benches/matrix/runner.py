"""Runs every pair in a process of its own, a few at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benches.matrix import libraries
from benches.matrix.adapter import Kind
from benches.matrix.scenarios.scenario import Scenario
from benches.matrix.verdict import Finding, Verdict

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cell:
    """What one scenario found about one library."""

    library: str
    scenario: Scenario
    finding: Finding


def run(
    names: Iterable[str],
    scenarios: Iterable[Scenario],
    *,
    limit: float = 30.0,
    jobs: int = 2,
    told: Callable[[Cell], None] = lambda cell: None,
) -> list[Cell]:
    """Judge each library by the scenarios of the policies that it has.

    `limit` is the seconds after which a process counts as hanging.
    """
    asked = list(scenarios)
    pairs = [
        (name, scenario)
        for name in names
        for scenario in asked
        if scenario.policy in libraries.adapter(name).policies
    ]

    def one(pair: tuple[str, Scenario]) -> Cell:
        cell = Cell(*pair, _judge(*pair, limit))
        told(cell)
        return cell

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, pairs))


def _judge(name: str, scenario: Scenario, limit: float) -> Finding:
    adapter = libraries.adapter(name)
    if adapter.version() is None:
        return Finding(Verdict.NOT_INSTALLED)
    kinds = scenario.kinds_for(adapter)
    if not kinds:
        return Finding(Verdict.NOT_APPLICABLE, f"{adapter.kinds[0]} functions only")
    found = {kind: _child(name, scenario, kind, limit) for kind in kinds}
    told = {finding.what for finding in found.values()}
    if len(told) > 1:
        found = {
            kind: Finding(finding.verdict, finding.what and f"{kind}: {finding.what}")
            for kind, finding in found.items()
        }
    return Finding.worst(found.values())


def _child(name: str, scenario: Scenario, kind: Kind, limit: float) -> Finding:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "benches.matrix.child", name, scenario.name, kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Finding(Verdict.HANGS, f"did not end within {limit:g} s")
    try:
        answer = json.loads(output.strip().rpartition("\n")[2])
        return Finding(Verdict(answer["verdict"]), answer["what"])
    except (ValueError, KeyError, TypeError):
        last = errors.strip().rpartition("\n")[2]
        return Finding(Verdict.CRASHED, f"exit status {process.returncode}: {last}")
