"""The plots. Each is drawn for both runs, by one scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple, get_args

from seawall.demo.figures import share
from seawall.demo.load import PATIENCE
from seawall.demo.report.plot import Plot, linear, logarithmic, text
from seawall.demo.seen import ENDS, End, Run, Service, Visited
from seawall.demo.words import percent, seconds

__all__ = ["CHARTS", "Chart"]

HEIGHT = 168
#: How many bars a run is cut into, about; no bar is shorter than half a second.
BARS = 50
#: The quickest answer that is told apart, in seconds.
LEAST = 0.002


class Chart(NamedTuple):
    """A plot: what it shows, in words, how it is drawn, and what its colours mean."""

    title: str
    words: str
    draw: Callable[[Sequence[Run]], list[str]]
    legend: Mapping[str, str]


def _step(run: Run) -> float:
    return 0.5 if run.script.seconds < BARS * 0.5 else 1.0


def _bins(run: Run) -> int:
    return round(run.script.seconds / _step(run))


def _bar(plot: Plot, span: tuple[float, float], ends: tuple[float, float], kind: str) -> str:
    x, width = plot.x(span[0]), plot.x(span[1]) - plot.x(span[0])
    low, high = plot.y(ends[0]), plot.y(ends[1])
    return (
        f'<rect class="{kind}" x="{x + 0.5:.1f}" y="{high:.1f}" width="{width - 1:.1f}" '
        f'height="{low - high:.1f}"/>'
    )


def _kind(name: str) -> str:
    return name.replace(" ", "-")


def _stacks(
    run: Run, plot: Plot, seen: Iterable[tuple[float, str]], kinds: Sequence[str], most: float
) -> list[str]:
    """Bars for each span of time, of so many a second, one kind upon the other."""
    step, scale = _step(run), linear(most)[0]
    last = _bins(run) - 1
    counts = Counter((min(last, int(at / step)), kind) for at, kind in seen)
    parts: list[str] = []
    for number in range(last + 1):
        low = 0.0
        span = (number * step, (number + 1) * step)
        told = ", ".join(f"{counts[number, kind]} {kind}" for kind in kinds if counts[number, kind])
        bars: list[str] = []
        for kind in kinds:
            high = low + counts[number, kind] / step
            if high > low:
                bars.append(_bar(plot, span, (scale(low), scale(high)), _kind(kind)))
            low = high
        if bars:
            title = f"<title>{span[0]:g} to {span[1]:g} s: {escape(told)}</title>"
            parts.append(f"<g>{title}{''.join(bars)}</g>")
    return parts


def _most(run: Run, times: Iterable[float]) -> float:
    step = _step(run)
    return max(Counter(int(at / step) for at in times).values(), default=1) / step


def outcomes(runs: Sequence[Run]) -> list[str]:
    """What became of the requests, by when they were due."""
    most = max(_most(run, (one.due for one in run.visits)) for run in runs)
    plots: list[str] = []
    for run in runs:
        plot = Plot(f"What became of the requests, {run.variant}", run.script, HEIGHT)
        ends = ((one.due, one.end) for one in run.visits)
        parts = _stacks(run, plot, ends, [*ENDS], most)
        plots.append(plot.draw(linear(most)[1], "requests per second", parts))
    return plots


def carts(runs: Sequence[Run]) -> list[str]:
    """The share of carts that were shown."""
    ticks = [(n / 4, f"{25 * n} %") for n in range(5)]
    plots: list[str] = []
    for run in runs:
        plot = Plot(f"Carts that were shown, {run.variant}", run.script, HEIGHT * 3 // 5)
        step = _step(run)
        by_bin: dict[int, list[Visited]] = {}
        for one in run.visits:
            if one.route == "cart":
                by_bin.setdefault(int(one.due / step), []).append(one)
        parts: list[str] = []
        for number, those in sorted(by_bin.items()):
            shown = share(those) or 0.0
            span = (number * step, (number + 1) * step)
            title = f"<title>{span[0]:g} to {span[1]:g} s: {percent(shown)} shown</title>"
            missed = _bar(plot, span, (shown, 1.0), "missed")
            parts.append(f"<g>{title}{_bar(plot, span, (0.0, shown), 'answered')}{missed}</g>")
        plots.append(plot.draw(ticks, "carts shown", parts))
    return plots


def waits(runs: Sequence[Run]) -> list[str]:
    """How long each user waited, a dot each."""
    scale = logarithmic(LEAST, PATIENCE * 1.25)
    marks = (0.01, 0.03, 0.1, 0.3, 1.0, PATIENCE)
    ticks = [(scale(mark), seconds(mark).replace(".00", "")) for mark in marks]
    plots: list[str] = []
    for run in runs:
        plot = Plot(f"How long users waited, {run.variant}", run.script, HEIGHT * 5 // 4)
        dots: dict[End, list[str]] = {end: [] for end in ENDS}
        for one in run.visits:
            x, y = plot.x(one.due), plot.y(scale(one.waited))
            dots[one.end].append(f"M{x:.1f} {y:.1f}h0")
        parts = [
            f'<path class="dots {_kind(end)}" d="{"".join(places)}"/>'
            for end, places in dots.items()
            if places
        ]
        plots.append(plot.draw(ticks, "waited (logarithmic)", parts))
    return plots


def hits(runs: Sequence[Run]) -> list[str]:
    """What reaches the services, beside what the shop wanted of them."""
    services: tuple[Service, ...] = get_args(Service)
    most = max(
        _most(run, times) for run in runs for times in ([hit.at for hit in run.hits], run.wanted)
    )
    scale, ticks = linear(most)
    plots: list[str] = []
    for run in runs:
        plot = Plot(f"Requests that reach the services, {run.variant}", run.script, HEIGHT)
        known = [hit for hit in run.hits if hit.at < run.script.seconds]
        parts = _stacks(run, plot, ((hit.at, hit.service) for hit in known), services, most)
        step = _step(run)
        wanted = Counter(int(at / step) for at in run.wanted)
        path = "".join(
            f"{'L' if number else 'M'}{plot.x(number * step):.1f} "
            f"{plot.y(scale(wanted[number] / step)):.1f}H{plot.x((number + 1) * step):.1f}"
            for number in range(_bins(run))
        )
        parts.append(f'<path class="wanted" d="{path}"/>')
        plots.append(plot.draw(ticks, "requests per second", parts))
    return plots


def breakers(runs: Sequence[Run]) -> list[str]:
    """The states of the circuit breakers."""
    services: tuple[Service, ...] = get_args(Service)
    plots: list[str] = []
    for run in runs:
        plot = Plot(f"Circuit breakers, {run.variant}", run.script, 96)
        parts: list[str] = []
        if run.variant == "naked":
            middle = plot.x(run.script.seconds / 2)
            parts.append(text(middle, plot.y(0.5) + 4, "there are none", "quiet", "middle"))
        else:
            for row, service in enumerate(services):
                parts += _states(run, plot, service, 0.54 - 0.5 * row)
        plots.append(plot.draw([], "", parts))
    return plots


def _states(run: Run, plot: Plot, service: Service, low: float) -> list[str]:
    turns = sorted((turn.at, turn.state) for turn in run.turns if turn.breaker == service)
    turns = [(0.0, "closed"), *(turn for turn in turns if turn[0] < run.script.seconds)]
    ends = [*(at for at, _ in turns[1:]), run.script.seconds]
    parts: list[str] = []
    for (begin, state), end in zip(turns, ends, strict=True):
        words = state.replace("_", "-")
        x, width = plot.x(begin), plot.x(end) - plot.x(begin)
        parts.append(
            f'<rect class="{words}" x="{x:.1f}" y="{plot.y(low + 0.27):.1f}" '
            f'width="{max(width, 0.5):.1f}" height="{0.27 * plot.height:.1f}">'
            f"<title>{service}: {words} from {begin:.2f} to {end:.2f} s</title></rect>"
        )
    parts.append(text(plot.x(0), plot.y(low + 0.27) - 4, service, "on-bar"))
    return parts


_OUTCOMES = {_kind(end): words for end, words in ENDS.items()}

CHARTS = [
    Chart(
        "What became of the requests",
        "Each bar holds the requests that were due then, also those that were answered later.",
        outcomes,
        _OUTCOMES,
    ),
    Chart(
        "The cart, which calls nobody",
        "It shares the shop's threads with the checkout. When those all wait for payments, "
        "none is left to show a cart.",
        carts,
        {"answered": "shown", "missed": "not shown"},
    ),
    Chart(
        "How long users waited",
        f"A dot for each request: from the moment it was due until its user knew how it ended, "
        f"or gave up after {PATIENCE:g} s.",
        waits,
        _OUTCOMES,
    ),
    Chart(
        "What reaches the services",
        "The line is what users wanted of them. What stands above it are retries, and requests "
        "that had been held up, of users who have left; what is missing below it was not tried.",
        hits,
        {"payments": "payments", "recommendations": "recommendations", "wanted": "wanted by users"},
    ),
    Chart(
        "The circuit breakers",
        "Open: no request is made. Half-open: a few find out whether the service is back.",
        breakers,
        {"closed": "closed", "open": "open", "half-open": "half-open"},
    ),
]
