"""The judge over the benchmark's bars. Nothing here is timed."""

import dataclasses
import json
from xml.etree import ElementTree

import pytest

from benches.python.__main__ import ROOMS
from benches.python.bars import Bar, judge, over
from benches.python.chart import Chart, draw
from benches.python.figures import QUICK, RaceTable, Run, Timing, UnknownRowError
from benches.python.harness import BARE, Race, Setup
from benches.python.report import UNKNOWN, Report, bars_table, markdown, raw, reasons

RACES = [it.args[0] for room in ROOMS for it in room.scenarios.values() if hasattr(it, "args")]
BARS = [pytest.param(bar, id=f"{room.name}: {bar.claim}") for room in ROOMS for bar in room.bars]
EXPLAINED = [it for it in BARS if it.values[0].reason]
BREAKER = next(room for room in ROOMS if room.name == "breaker")


def table(**over_minima: float) -> RaceTable:
    """A race in which ``y`` is always absent."""
    rows = {name: Timing(10 + cost, 10 + cost, cost, 9.0) for name, cost in over_minima.items()}
    return RaceTable("race", "", BARE, "f(x)", rows, {"y": "not built"})


@pytest.mark.parametrize(
    ("sense", "cost", "verdict"),
    [("≤", 5.0, "held"), ("≤", 5.1, "missed"), ("≥", 5.0, "held"), ("≥", 4.9, "missed")],
)
def test_a_bar_is_held_up_to_its_limit_and_missed_beyond_it(sense, cost, verdict):
    """The limit itself is still held, and the minima decide, not the paired statistic."""
    bar = Bar("claim", over("race", "x"), 5.0, sense)
    judged = judge([bar], Run({"race": table(x=cost)}))
    assert [(it.verdict, it.value, it.second) for it in judged] == [(verdict, cost, 9.0)]


def test_what_was_not_measured_is_not_held():
    """A bar on an absent contender, or on a scenario that was not run, says so."""
    bars = [Bar("absent", over("race", "y"), 5.0), Bar("not run", over("other", "x"), 5.0)]
    assert [it.verdict for it in judge(bars, Run({"race": table(x=1.0)}))] == ["not measured"] * 2


def test_a_bar_that_names_no_row_is_an_error():
    """A slip of the pen in a bar must not pass for a figure that is missing."""
    with pytest.raises(UnknownRowError):
        judge([Bar("claim", over("race", "z"), 5.0)], Run({"race": table(x=1.0)}))


@pytest.mark.parametrize(
    ("version", "limit"), [((3, 10), None), ((3, 11), 18), ((3, 12), 8), ((3, 14), 8)]
)
def test_a_limit_holds_from_its_python_on(version, limit):
    """The limit of the newest Python that is not newer than this one; none before the first."""
    assert Bar("claim", over("race", "x"), {(3, 11): 18, (3, 12): 8}).limit_for(version) == limit


def test_a_missed_bar_is_printed_as_missed():
    """It stands in the table, in bold."""
    judged = judge([Bar("claim", over("race", "x"), 5.0)], Run({"race": table(x=7.0)}))
    assert "**missed**" in bars_table(judged)


def missed_bar(**settings):
    """A bar that 7 ns miss, judged."""
    bar = Bar("claim", over("race", "x"), 5.0, **settings)
    return judge([bar], Run({"race": table(x=7.0)}))


def test_a_missed_bar_is_printed_with_its_reason():
    """It stands beside the bar, with figures of the same run, and changes no verdict."""
    judged = missed_bar(reason="{} of {} ns.", shown=(over("race", "x"), over("race", "y")))
    assert [it.verdict for it in judged] == ["missed"]
    assert reasons(judged) == "- **claim**: 7.0 of - ns."


def test_a_missed_bar_without_a_reason_says_so():
    """Silence would read as an excuse."""
    assert reasons(missed_bar()) == f"- **claim**: {UNKNOWN}"


def test_a_bar_that_is_held_needs_no_reason():
    """Only what is missed is explained."""
    bars = [Bar("claim", over("race", "x"), 9.0, reason="never"), Bar("no", over("race", "y"), 9.0)]
    judged = judge(bars, Run({"race": table(x=7.0)}))
    assert [it.reason for it in judged] == ["", ""]
    assert reasons(judged) == ""


def test_the_report_holds_the_reasons():
    """They follow the table of bars, and stand in the figures for machines."""
    run = Run({"race": table(x=7.0)})
    judged = missed_bar(reason="because.")
    report = Report("room", "3.11", QUICK, {}, run, judged, {}, lambda name: name)
    assert "### Missed, and why\n\n- **claim**: because." in markdown(report)
    assert json.loads(raw(report))["bars"][0]["reason"] == "because."
    held = judge([Bar("claim", over("race", "x"), 9.0)], run)
    assert "Missed" not in markdown(dataclasses.replace(report, judged=held))


@pytest.mark.parametrize("bar", EXPLAINED)
def test_each_reason_has_a_place_for_what_it_shows(bar):
    """As many places as figures, and rows that there are."""
    assert bar.reason.count("{}") == len(bar.shown)
    assert bar.why(Run({})) == bar.reason.replace("{}", "-")


@pytest.mark.parametrize("bar", BARS)
def test_each_bar_names_rows_that_are_raced(bar):
    """Every row that a bar names stands in the race that it names."""
    nothing = Timing(0, 0, 0, 0)
    tables = {
        race.key: RaceTable(race.key, "", BARE, "", dict.fromkeys(race.entries, nothing), {})
        for race in RACES
    }
    judge([bar], Run(tables))
    bar.why(Run(tables))


def test_a_contender_that_can_not_be_built_is_absent():
    """The others are measured all the same, and the reason tells no path."""

    def broken() -> Setup:
        raise ImportError("cannot import name 'x' from 'y' (/some/where/y.py)")

    race = Race("race", "", {BARE: lambda: Setup(f=abs), "y": broken})
    absent = race.run(dataclasses.replace(QUICK, rounds=1, sample_ns=1)).absent
    assert absent == {"y": "ImportError: cannot import name 'x' from 'y'"}


def test_a_chart_is_well_formed_and_names_every_figure():
    """Also where a figure is nothing or less, which has no logarithm."""
    figures = {"seawall <1>": -0.2, "a & b": 120.0, "c": 0.0}
    picture = draw(Chart("t", "s", "ns", figures, BREAKER.group, start=1))
    words = [element.text for element in ElementTree.fromstring(picture).iter() if element.text]
    assert set(figures) <= set(words)
