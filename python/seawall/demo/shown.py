"""The whole demo: both runs, the judge, the report."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seawall.demo.figures import Figures, figures
from seawall.demo.live import Screen, Silence, screen, summary
from seawall.demo.report import page
from seawall.demo.run import Stage
from seawall.demo.script import FAST, FULL, Script
from seawall.demo.seen import Run, Variant
from seawall.demo.verdict import faults
from seawall.demo.words import rows

__all__ = ["Shown", "show"]

VARIANTS: tuple[Variant, Variant] = ("naked", "protected")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo came to.

    Attributes:
        script: Seconds of each phase.
        seed: Of users and services.
        naked: Figures of the run without protection.
        protected: Of that with it.
        faults: What protection owed and did not give.
        report: Where the report is.
    """

    script: Script
    seed: int
    naked: Figures
    protected: Figures
    faults: list[str]
    report: Path

    def as_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "helped": not self.faults,
            "faults": self.faults,
            "seed": self.seed,
            "phases": self.script._asdict(),
            "naked": self.naked.as_json(),
            "protected": self.protected.as_json(),
            "report": str(self.report),
        }


def show(*, fast: bool, seed: int, report: Path, quiet: bool) -> Shown:
    """Lives through the outage twice, writes the report, judges.

    Args:
        fast: A short outage.
        seed: Of users and services.
        report: The file that the report is written to.
        quiet: Nothing is shown meanwhile.

    Raises:
        ChildError: One of the processes died.
        OSError: The report can't be written.
    """
    script = FAST if fast else FULL
    runs: list[Run] = []
    with ExitStack() as stages:
        # All at once: those of the second run load what they need while nobody waits for them.
        for stage in [stages.enter_context(Stage(each, script, seed)) for each in VARIANTS]:
            shown: Screen = Silence() if quiet else screen(sys.stdout)
            with shown:
                runs.append(stage.live(shown.look))
    naked, protected = (figures(run) for run in runs)
    found = faults(naked, protected)
    if not quiet:
        # First: a disk that is full takes the report only.
        summary(rows(naked, protected), sys.stdout)
    report.write_text(page(runs[0], runs[1], found, seed), encoding="utf-8")
    return Shown(script, seed, naked, protected, found, report)
