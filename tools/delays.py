"""Draws the delays of each backoff, and how each jitter spreads them.

`python -m tools.delays FOLDER` writes the pictures of docs/policies/backoff.md. The delays are
those that a retry waits, by a test's clock, from fixed seeds: the same pictures each time.
"""

import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import seawall

from benches.python.sheet import sheet, text

DELAYS = 10
RUNS = 2000
WIDTH = 880

KINDS = {
    "constant": seawall.constant(1),
    "linear": seawall.linear(1),
    "fibonacci": seawall.fibonacci(1),
    "exponential": seawall.exponential(1, jitter="none"),
    "exponential, cap=30": seawall.exponential(1, cap=30, jitter="none"),
}
JITTERS = {
    '"none"': seawall.exponential(1, jitter="none"),
    '"full"': seawall.exponential(1, jitter="full"),
    '"equal"': seawall.exponential(1, jitter="equal"),
    "0.25": seawall.exponential(1, jitter=0.25),
    '"decorrelated"': seawall.exponential(1, jitter="decorrelated"),
    '"smooth"': seawall.exponential(1, jitter="smooth"),
}


def delays(backoff: seawall.Backoff, runs: int = 1) -> list[list[float]]:
    """What so many calls wait, all of whose attempts fail: for each delay, that of every call."""
    waited: list[list[float]] = [[] for _ in range(DELAYS)]
    retry = seawall.Retry(
        attempts=DELAYS + 1,
        on=OSError,
        backoff=backoff,
        before_sleep=lambda told: waited[told.attempts - 1].append(told.delay),
    )

    def fail() -> None:
        raise OSError

    with seawall.testing.seed(1), seawall.testing.clock(autojump=True):
        for _ in range(runs):
            retry.try_call(fail)
    return waited


class Panel(NamedTuple):
    """A field with delays from left to right, and seconds upwards, from decade to decade."""

    left: float
    top: float
    width: float
    height: float
    first: int
    last: int

    def x(self, number: int) -> float:
        """Where a delay stands."""
        return self.left + self.width * number / (DELAYS - 1)

    def y(self, seconds: float) -> float:
        """Where so many seconds stand: on the ground, if they are fewer than it begins with."""
        share = (math.log10(max(seconds, 1e-9)) - self.first) / (self.last - self.first)
        return self.top + self.height * (1 - max(share, 0.0))

    def grid(self) -> list[str]:
        """A line for each decade, and numbers under some of the delays."""
        parts: list[str] = []
        for exponent in range(self.first, self.last + 1):
            y = self.y(10.0**exponent)
            parts.append(
                f'  <line class="grid" x1="{self.left:.1f}" y1="{y:.1f}" '
                f'x2="{self.left + self.width:.1f}" y2="{y:.1f}"/>'
            )
            words = f"{10.0**exponent:,.10g} s"
            parts.append(text(self.left - 8, round(y + 4, 1), words, "quiet", "end"))
        foot = round(self.top + self.height + 18, 1)
        numbers = range(0, DELAYS, 3)
        parts += [text(self.x(n), foot, f"n={n}", "quiet", "middle") for n in numbers]
        return parts

    def line(self, values: Sequence[float]) -> str:
        """A line through the delays."""
        return f'  <polyline class="line" points="{self._points(range(DELAYS), values)}"/>'

    def band(self, low: Sequence[float], high: Sequence[float]) -> str:
        """What lies between two lines."""
        there = self._points(range(DELAYS), low)
        back = self._points(range(DELAYS - 1, -1, -1), [*reversed(high)])
        return f'  <polygon class="band" points="{there} {back}"/>'

    def _points(self, numbers: Sequence[int], values: Sequence[float]) -> str:
        places = zip(numbers, values, strict=True)
        return " ".join(f"{self.x(n):.1f},{self.y(value):.1f}" for n, value in places)


def kinds(backoffs: Mapping[str, seawall.Backoff] = KINDS) -> str:
    """One line for each kind, without jitter."""
    panel = Panel(76, 80, WIDTH - 76 - 190, 240, 0, 3)
    parts = panel.grid()
    for name, backoff in backoffs.items():
        values = [delay for [delay] in delays(backoff)]
        parts.append(panel.line(values))
        parts.append(text(panel.x(DELAYS - 1) + 8, round(panel.y(values[-1]) + 4, 1), name))
    subtitle = "delay n in seconds, b = 1 s, without jitter; logarithmic scale"
    return sheet("How delays grow", subtitle, (WIDTH, 360), parts)


def jitters(backoffs: Mapping[str, seawall.Backoff] = JITTERS) -> str:
    """A panel for each jitter: the median, and what nine of ten calls wait."""
    parts: list[str] = []
    for number, (name, backoff) in enumerate(backoffs.items()):
        row, column = divmod(number, 3)
        panel = Panel(76 + 278 * column, 100 + 230 * row, 200, 150, -2, 3)
        waited = delays(backoff, RUNS)
        cuts = [statistics.quantiles(each, n=20, method="inclusive") for each in waited]
        parts += panel.grid()
        parts.append(panel.band([cut[0] for cut in cuts], [cut[-1] for cut in cuts]))
        parts.append(panel.line([statistics.median(each) for each in waited]))
        parts.append(text(panel.left, panel.top - 14, f"jitter={name}"))
    subtitle = (
        f"delay n of exponential(1): median, and the 5 to 95 % band of {RUNS:,} seeded runs; "
        "logarithmic scale"
    )
    return sheet("How jitter spreads them", subtitle, (WIDTH, 530), parts)


PICTURES = {"kinds.svg": kinds, "jitter.svg": jitters}


def main() -> None:
    """Writes the pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (folder / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
