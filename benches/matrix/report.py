"""The table, for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby, zip_longest

from benches.matrix import libraries
from benches.matrix.adapter import Policy
from benches.matrix.runner import Cell
from benches.matrix.scenarios.scenario import Scenario
from benches.matrix.verdict import Finding, Verdict

_SHORT = {
    Verdict.NOT_INSTALLED: " ",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.RIGHT: "right",
    Verdict.REFUSED: "refused",
    Verdict.WRONG: "WRONG",
    Verdict.CRASHED: "CRASHED",
    Verdict.HANGS: "HANGS",
}
_WIDTH = 8


class Table:
    """Cells by scenario and library."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = cells
        self.libraries = list(dict.fromkeys(cell.library for cell in cells))
        self.scenarios = list(dict.fromkeys(cell.scenario for cell in cells))
        self._found = {(c.library, c.scenario.name): c.finding for c in cells}

    def at(self, library: str, scenario: Scenario) -> Finding:
        """One cell."""
        return self._found[library, scenario.name]

    def asked(self, policy: Policy) -> list[str]:
        """The libraries that were asked about a policy."""
        scenarios = [scenario for scenario in self.scenarios if scenario.policy == policy]
        return [
            library
            for library in self.libraries
            if any((library, scenario.name) in self._found for scenario in scenarios)
        ]

    def score(self, library: str) -> tuple[int, int]:
        """How many scenarios it breaks, of how many that say anything about it."""
        found = [cell.finding.verdict for cell in self.cells if cell.library == library]
        judged = [v for v in found if v not in (Verdict.NOT_APPLICABLE, Verdict.NOT_INSTALLED)]
        return sum(verdict.is_failure for verdict in judged), len(judged)

    def installed(self) -> list[tuple[str, str | None]]:
        """Every library and its version."""
        return [(name, libraries.adapter(name).version()) for name in self.libraries]


def text(table: Table) -> str:
    """For a terminal."""
    first = max(len(_label(scenario)) for scenario in table.scenarios) + 2
    lines: list[str] = []
    for policy, of_policy in groupby(table.scenarios, key=lambda s: s.policy):
        asked = table.asked(policy)
        heads = [_chunks(name) for name in asked]
        lines += [""] + [
            " " * first + "".join(part.ljust(_WIDTH) for part in row)
            for row in zip_longest(*heads, fillvalue="")
        ]
        for group, scenarios in groupby(of_policy, key=lambda s: s.group):
            lines += ["", group]
            for scenario in scenarios:
                marks = [_SHORT[table.at(name, scenario).verdict] for name in asked]
                row = _label(scenario).ljust(first) + "".join(it.ljust(_WIDTH) for it in marks)
                lines.append(row.rstrip())
    scores = [(name, table.score(name)) for name in table.libraries]
    lines += ["", "wrong / judged"] + [f"  {name}: {w}/{j}" for name, (w, j) in scores]
    lines += ["", "- not applicable   ~ a convention: sound libraries may choose otherwise"]
    for name, version in table.installed():
        if version is None:
            lines.append(f"{name}: not installed")
    lines += ["", "What happened:"]
    for cell in table.cells:
        if cell.finding.verdict.is_failure:
            lines.append(f"  {cell.library}, {cell.scenario.name}: {cell.finding.what}")
    return "\n".join(line.rstrip() for line in lines)


def markdown(table: Table) -> str:
    """For the documentation, with a footnote for each cell that is wrong."""
    notes: list[str] = []
    out = [
        "# The peers' matrix",
        "",
        "Made by `python -m benches.matrix`; don't edit. Each row is a scenario from "
        "`benches/matrix/scenarios`, each cell ran in a process of its own.",
        "",
        "*Right*, *wrong* and *refused* (the library says at once that it can't) are judged by "
        "seawall's rules; rows marked ~ are conventions, where *wrong* means "
        "only *not as seawall does*. *Crashed*: an exception that nobody asked for. *Hangs*: it "
        "never came back. An empty cell says nothing: the library has no such feature, is not "
        "installed, or never sees what the row is about, which is wrong in a row of its own.",
        "",
        "Breakers without a clock of their own get a shifted one in place of the names that they "
        "read time from; nothing sleeps. Redis is `fakeredis`, switched off for the outages. "
        "Bulkheads, rate limits and retries are judged in real time. Each library is asked about "
        "the policies that it has.",
        "",
        "| Library | Version | Wrong | Judged | How it was set up |",
        "|---|---|---:|---:|---|",
    ]
    for name, version in table.installed():
        wrong, judged = table.score(name)
        caveat = libraries.adapter(name).caveat
        out.append(f"| {name} | {version or 'not installed'} | {wrong} | {judged} | {caveat} |")
    for (policy, group), scenarios in groupby(table.scenarios, key=lambda s: (s.policy, s.group)):
        asked = table.asked(policy)
        out += ["", f"## {group}", ""]
        out.append("| Claim | " + " | ".join(asked) + " |")
        out.append("|---|" + ":-:|" * len(asked))
        for scenario in scenarios:
            cells = []
            for name in asked:
                finding = table.at(name, scenario)
                mark = _SHORT[finding.verdict].lower().strip(" -")
                if finding.verdict.is_failure:
                    notes.append(f"{name}, `{scenario.name}`: {finding.what}.")
                    mark = f"**{mark}**[^{len(notes)}]"
                cells.append(mark)
            claim = ("~ " if scenario.convention else "") + scenario.claim
            out.append(f"| {claim} | " + " | ".join(cells) + " |")
    out.append("")
    out += [f"[^{number}]: {note}" for number, note in enumerate(notes, 1)]
    return "\n".join(out) + "\n"


def as_json(table: Table) -> str:
    """For programs."""
    return json.dumps(
        {
            "libraries": dict(table.installed()),
            "cells": [
                {
                    "library": cell.library,
                    "scenario": cell.scenario.name,
                    "claim": cell.scenario.claim,
                    "convention": cell.scenario.convention,
                    "verdict": cell.finding.verdict,
                    "what": cell.finding.what,
                }
                for cell in table.cells
            ],
        },
        indent=2,
    )


def _label(scenario: Scenario) -> str:
    return ("~ " if scenario.convention else "  ") + scenario.name


def _chunks(name: str) -> list[str]:
    size = _WIDTH - 1
    return [
        part[start : start + size]
        for part in name.replace(":", "-").split("-")
        for start in range(0, len(part), size)
    ]
