"""What the pages say of the demo is what was run, and what it is made of."""

import json
import re
from pathlib import Path

import pytest
from seawall.demo import verdict
from seawall.demo.figures import Figures
from seawall.demo.load import MIX, PATIENCE
from seawall.demo.script import COLD, COLD_ERRORS, FULL, GOOD, SLOW
from seawall.demo.seen import Turn
from seawall.demo.words import percent, rows

ROOT = Path(__file__).resolve().parents[2]
RUN = json.loads((ROOT / "docs/demo/run.json").read_text())


def kept(variant):
    """The figures of the run that the pages tell of."""
    told = RUN[variant]
    return Figures(**{**told, "turns": [Turn(**turn) for turn in told["turns"]]})


NAKED, PROTECTED = kept("naked"), kept("protected")


def tabled(page):
    """The rows of a page's table of figures."""
    text = (ROOT / page).read_text()
    return re.findall(r"^\| (.+?) \| (.+?) \| \*\*(.+?)\*\* \|$", text, re.MULTILINE)


@pytest.mark.parametrize(("page", "least"), [("README.md", 5), ("docs/demo.md", 10)])
def test_figures_are_those_of_the_run(page, least):
    """Each row of a page's table is one of the run that is kept beside it; the demo's has all."""
    found = tabled(page)
    assert len(found) >= least
    assert set(found) <= {tuple(row) for row in rows(NAKED, PROTECTED)}


def test_phases_are_those_of_the_run():
    """The table of routes and phases has the shares of the run, each without → with seawall."""
    text = (ROOT / "docs/demo.md").read_text()
    for route in MIX:
        cells = " | ".join(
            f"{percent(before[route])} → {percent(PROTECTED.by_phase[phase][route])}"
            for phase, before in NAKED.by_phase.items()
        )
        assert f"| {route} | {cells} |" in text


def test_the_run_is_one_that_helped():
    """The run that is kept passes the judge that is in force, and is one of the present script."""
    assert verdict.faults(NAKED, PROTECTED) == []
    assert RUN["phases"] == FULL._asdict()


def test_the_story_has_the_numbers_of_the_script():
    """Rates, latencies, patience and what must be shown are as the page says."""
    text = (ROOT / "docs/demo.md").read_text()
    for said in (
        f"{MIX['cart']:g} carts, {MIX['checkout']:g} checkouts and {MIX['product']:g} product",
        f"After {PATIENCE:g} s a user has left",
        f"{GOOD[0] * 1000:.0f} to {GOOD[1] * 1000:.0f} ms",
        f"{SLOW[0]:g} to {SLOW[1]:g} s",
        f"up to {COLD[1] * 1000:.0f} ms",
        f"at least {verdict.MORE_SUCCESS * 100:.0f} points more",
        f"{verdict.CART * 100:.0f} % of the carts",
        f"{verdict.WARM * 100:.0f} % go well",
    ):
        assert said in text
    assert (COLD_ERRORS, verdict.FEWER_DEAD_HITS) == (0.2, 0.5)  # "a fifth", "half as many"
