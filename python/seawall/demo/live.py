"""What is seen while a run goes on: a table that is painted anew, or a line every second."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from seawall.demo.figures import quantile, share
from seawall.demo.load import MIX
from seawall.demo.script import PhaseName
from seawall.demo.seen import ENDS, End, Run, Service, Visited
from seawall.demo.words import NAMES, Row, percent, seconds

__all__ = ["Screen", "Silence", "Terminal", "screen", "summary"]

#: What is shown is what ended in the last seconds.
LAST = 2.0
#: Columns of a terminal in which each end has one of its own; with fewer, words would be cut off.
WIDE = 80
COLOURS: dict[PhaseName, str] = {
    "healthy": "green",
    "slow": "yellow",
    "down": "red",
    "recovering": "cyan",
}
STATES = {"closed": "green", "open": "bold red", "half_open": "yellow"}
ENDS_SHORT: dict[End, str] = {
    "answered": "answered",
    "fallback": "without recs",
    "refused": "refused",
    "failed": "failed",
    "gave up": "gave up",
}


class Screen(Protocol):
    """Where a run is shown."""

    def look(self, run: Run, at: float) -> None:
        """Shows how far it has come."""
        ...

    def __enter__(self) -> Self:
        """From now on."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Leaves the terminal as it was."""
        ...


class Silence:
    """Shows nothing."""

    def look(self, run: Run, at: float) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        """Nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing."""


class Lines(Silence):
    """A plain line every second, for whatever is no terminal."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._next = 1.0

    def look(self, run: Run, at: float) -> None:
        """Writes a line, if a second has passed."""
        if at < self._next:
            if at < 1:
                self._next = 1.0
            return
        self._next = int(at) + 1.0
        recent = _recent(run, at)
        parts = [f"{NAMES[run.variant]:15}  {int(at):3} s  {_phase(run, at):10}"]
        for route in MIX:
            good = share([one for one in recent if one.route == route])
            parts.append(f"{route} {'–' if good is None else percent(good):>6}")
        waits = sorted(one.waited for one in recent)
        parts.append(f"p99 {seconds(quantile(waits, 0.99)):>6}")
        parts.append(f"hits/s {_hits(run, at, 'payments'):3.0f}")
        state = _states(run).get("payments")
        print(*parts, *([f"payments {state}"] if state else []), sep="  ", file=self._file)
        self._file.flush()


class Terminal:
    """A table that is painted anew."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._console = console

    def look(self, run: Run, at: float) -> None:
        """Paints it."""
        ends: list[End] = [*ENDS] if self._console.width >= WIDE else []
        self._live.update(_painted(run, at, ends), refresh=True)

    def __enter__(self) -> Self:
        """Takes the terminal."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Gives it back, with the last picture left standing."""
        self._live.stop()


def screen(file: TextIO) -> Screen:
    """A table on a terminal, lines elsewhere."""
    console = Console(file=file)
    return Terminal(console) if console.is_terminal else Lines(file)


def summary(rows: list[Row], file: TextIO) -> None:
    """The figures of both runs."""
    table = Table(title="One outage, twice", title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column(NAMES["naked"], justify="right")
    table.add_column(NAMES["protected"], justify="right", style="bold")
    for row in rows:
        table.add_row(*row)
    Console(file=file).print(table)


def _recent(run: Run, at: float) -> list[Visited]:
    found: list[Visited] = []
    # They come in the order in which they ended.
    for one in reversed(run.visits):
        if one.due + one.waited < at - LAST - 1:
            break
        if one.due + one.waited >= at - LAST:
            found.append(one)
    return found


def _phase(run: Run, at: float) -> PhaseName:
    return run.script.phase(at)


def _hits(run: Run, at: float, service: Service) -> float:
    since = at - LAST
    recent = [hit for hit in run.hits[-2000:] if hit.at >= since and hit.service == service]
    return len(recent) / LAST


def _states(run: Run) -> dict[Service, str]:
    return {turn.breaker: turn.state for turn in run.turns}


def _painted(run: Run, at: float, ends: Sequence[End]) -> Group:
    phase = _phase(run, at)
    head = Text.assemble(
        (f" {NAMES[run.variant]} ", "bold reverse"),
        f"  {max(at, 0):5.1f} s  services are ",
        (phase, f"bold {COLOURS[phase]}"),
    )
    table = Table(
        caption=f" what ended in the last {LAST:g} s",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("route")
    table.add_column("went well", justify="right")
    for end in ends:
        table.add_column(ENDS_SHORT[end], justify="right")
    table.add_column("p50", justify="right")
    table.add_column("p99", justify="right")
    recent = _recent(run, at)
    for route in MIX:
        those = [one for one in recent if one.route == route]
        good = share(those)
        waits = sorted(one.waited for one in those)
        colour = "dim" if good is None else "green" if good >= 0.9 else "red"
        table.add_row(
            route,
            Text("–" if good is None else percent(good), style=colour),
            *(str(sum(one.end == end for one in those)) for end in ends),
            seconds(quantile(waits, 0.5)),
            seconds(quantile(waits, 0.99)),
        )
    states = _states(run)
    services = Text()
    for service in ("payments", "recommendations"):
        services.append(f" {service}: {_hits(run, at, service):.0f} requests/s")
        if run.variant == "protected":
            state = states.get(service, "closed")
            services.append(", circuit ")
            services.append(state.replace("_", "-"), style=STATES.get(state, ""))
        services.append("\n" if service == "payments" else "")
    bar = Table.grid()  # a bar by itself does not end its line
    bar.add_row(ProgressBar(total=run.script.seconds, completed=max(0.0, at), width=60))
    return Group(head, bar, table, services)
