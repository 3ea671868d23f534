"""The report: one file, well-formed, that needs nothing else and says what was seen."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from seawall.demo.report import page
from seawall.demo.report.charts import CHARTS
from seawall.demo.report.plot import linear, logarithmic, nice
from seawall.demo.seen import Visited

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Follows tags; notes whatever a browser would fetch or run."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.seen, self.said = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag in {"script", "link", "iframe", "img", "object", "embed", "base"}:
            self.fetched.append(tag)
        self.fetched += [f"{name}={value}" for name, value in attrs if name in {"src", "href"}]
        self.fetched += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


@pytest.fixture
def html(naked, protected):
    """The report of a run that went as it should."""
    return page(naked, protected, [], 7)


def read(html):
    """What a browser would make of it."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def test_it_needs_nothing_else(html):
    """No script, no link, no picture, no font, no import: it opens without a network."""
    assert read(html).fetched == []
    assert not re.search(r"url\(|@import|https?://", html)


def test_it_is_well_formed(html):
    """Tags are closed in order, and each plot is a piece of XML by itself."""
    assert read(html).seen.count("svg") == 2 * len(CHARTS)
    for plot in re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL):
        ElementTree.fromstring(plot)


def test_every_plot_is_named_shaded_and_has_units(html):
    """Each plot tells blind readers what it is; has the four phases with their names, and units."""
    for plot in re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL):
        tree = ElementTree.fromstring(plot)
        assert re.search(r"(naked|protected)$", tree.get("aria-label"))
        texts = {text.text for text in tree.iter("text")}
        assert texts >= {"healthy", "slow", "down", "recovering", "seconds since the beginning"}
        shades = [rect.get("class") for rect in tree.iter("rect")]
        assert [kind for kind in shades if kind.startswith("phase ")] == [
            "phase healthy",
            "phase slow",
            "phase down",
            "phase recovering",
        ]


def test_everything_drawn_lies_on_the_plot(html):
    """No bar, dot or line lies outside of its picture, and none has a negative size."""
    for plot in re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL):
        tree = ElementTree.fromstring(plot)
        _, _, width, height = map(float, tree.get("viewBox").split())
        for rect in tree.iter("rect"):
            x, y, wide, high = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
            assert wide >= 0
            assert high >= 0
            assert -0.1 <= x <= x + wide <= width + 0.1
            assert -0.1 <= y <= y + high <= height + 0.1
        for path in tree.iter("path"):
            for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path.get("d")):
                assert 0 <= float(x) <= width
                assert 0 <= float(y) <= height


def test_every_request_is_a_dot(html, naked, protected):
    """The plot of the waits shows each request of both runs."""
    dots = sum(len(re.findall("h0", path)) for path in re.findall(r'class="dots.*?/>', html))
    assert dots == len(naked.visits) + len(protected.visits)


def test_both_runs_have_one_scale(html):
    """Plots side by side have the same lines of the grid: they can be compared by eye."""
    plots = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    for left, right in zip(plots[::2], plots[1::2], strict=True):
        grids = [
            re.findall(r'class="quiet" text-anchor="end">(.*?)<', plot) for plot in (left, right)
        ]
        assert grids[0] == grids[1]


def test_it_follows_light_and_dark(html):
    """Every colour that is used is defined, and the reader's dark has its own."""
    style = html.split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    defined = set(re.findall(r"(--[\w-]+):", light))
    assert set(re.findall(r"var\((--[\w-]+)\)", style)) <= defined
    assert set(re.findall(r"(--[\w-]+):", dark)) == defined - {"--healthy"}


def test_every_mark_has_a_colour(html):
    """Each class of what is drawn is one that the style knows."""
    style = html.split("<style>")[1].split("</style>")[0]
    used = {
        word
        for names in re.findall(r'<(?:rect|path|i|line)\b[^>]*?class="([^"]*)"', html)
        for word in names.split()
    }
    assert {word for word in used if f".{word}" not in style} == set()


def test_the_verdict_is_on_it(naked, protected):
    """If seawall did not help, the report says so, with each reason."""
    said = "".join(read(page(naked, protected, ["carts < 95 %", "it is <open>"], 7)).said)
    assert "did not help" in said
    assert "carts < 95 %" in said
    assert "it is <open>" in said


def test_it_shows_both_sources(html):
    """The code of both ways to call is there, whole: a reader can judge whether it is fair."""
    said = "".join(read(html).said)
    assert "class Naked" in said
    assert "class Protected" in said
    assert "@seawall.circuit_breaker(" in said


def test_a_run_that_saw_little_can_be_drawn(naked, protected):
    """Runs without a single hit or turn, and a visit at the very end, break no plot."""
    for run in (naked, protected):
        run.hits.clear()
        run.turns.clear()
        run.visits[:] = [Visited("cart", run.script.seconds, 0.0, "failed", 0.0)]
    read(page(naked, protected, ["nothing was seen"], 7))


@pytest.mark.parametrize(
    ("most", "top", "lines"), [(3.2, 4, 5), (47, 60, 4), (310, 400, 5), (0, 5e-10, 2)]
)
def test_scales_have_round_numbers(most, top, lines):
    """A scale goes up to a round number that is not below the most, in a few steps."""
    scale, ticks = linear(most)
    assert scale(top) == pytest.approx(1)
    assert 2 <= len(ticks) <= 7
    assert len(ticks) == lines or most == 0
    assert nice(41, 10) == 5


def test_what_is_off_a_logarithmic_scale_stands_at_its_end():
    """Equal factors are equally high; less than the least is on the ground, more at the top."""
    scale = logarithmic(0.01, 1)
    assert [scale(it) for it in (0.0, 0.01, 0.1, 1, 5)] == pytest.approx([0, 0, 0.5, 1, 1])
