"""What is seen while a run goes on."""

import io
import re

import pytest
from rich.console import Console
from seawall.demo.figures import figures
from seawall.demo.live import Lines, Terminal, screen, summary
from seawall.demo.seen import Turn
from seawall.demo.words import percent, rows, seconds


def test_a_pipe_gets_lines(naked):
    """Where there is no terminal, a plain line a second says how it goes; no escape codes."""
    file = io.StringIO()
    with screen(file) as shown:
        for quarter in range(17):
            shown.look(naked, quarter / 4)
    lines = file.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["1", "2", "3", "4"]
    assert "\x1b" not in file.getvalue()
    assert lines[0].startswith("without seawall ")
    assert "healthy" in lines[0]
    assert "cart" in lines[0]
    assert "slow" in lines[1]


def test_lines_say_how_it_goes(protected):
    """A line has the shares of the last seconds and the state of the circuit, at that moment."""
    file = io.StringIO()
    protected.visits[:] = [one for one in protected.visits if one.due < 5.0]
    protected.turns[:] = [Turn(2.0, "payments", "open")]
    Lines(file).look(protected, 5.0)
    line = " ".join(file.getvalue().split())
    assert "cart 100 %" in line
    assert "checkout 0 %" in line
    assert "payments open" in line


def test_a_terminal_gets_a_table(protected):
    """On a terminal a table is painted anew, with every route and the states of the circuits."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120)
    with Terminal(console) as shown:
        shown.look(protected, 3.0)
        shown.look(protected, 9.0)
    painted = file.getvalue()
    plain = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", painted).replace("\r", "")
    lines = plain.splitlines()
    assert {line[:5] for line in lines if "━" in line} == {"━" * 5}
    assert {line.split()[0] for line in lines if "route" in line} == {"route"}
    for word in ("with seawall", "cart", "checkout", "product", "circuit", "closed", "recovering"):
        assert word in painted


@pytest.mark.parametrize("width", [80, 50])
def test_a_terminal_may_be_narrow(width, protected):
    """At the usual 80 columns, and with fewer, no word and no figure is cut off."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=width, color_system=None)
    with Terminal(console) as shown:
        shown.look(protected, 4.0)
    plain = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", file.getvalue())
    assert "…" not in plain
    for words in ("checkout", "33.3 %", "20 ms", "recommendations: 15 requests/s, circuit closed"):
        assert words in plain
    assert ("answered" in plain) == (width >= 80)


def test_the_summary(naked, protected):
    """Every figure of both runs is a row."""
    file = io.StringIO()
    told = rows(figures(naked), figures(protected))
    summary(told, file)
    for row in told:
        assert row.label in file.getvalue()
    assert len({row.label for row in told}) == len(told) == 10


def test_figures_in_words():
    """What is nearly all is not called all; times are rounded to what can be told apart."""
    assert [percent(it) for it in (0, 0.5, 0.1234, 0.99996, 1)] == [
        "0 %",
        "50 %",
        "12.3 %",
        "99.9 %",
        "100 %",
    ]
    assert [seconds(it) for it in (0.0042, 0.9994, 2.004)] == ["4 ms", "999 ms", "2.00 s"]
