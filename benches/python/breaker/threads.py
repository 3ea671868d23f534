"""Threads on one breaker: what they get done, and what they cost one another."""

import gc
import statistics
import sys
import threading
import time
from functools import partial

from benches.python.crowds import rate, with_threads
from benches.python.figures import Effort, GaugeTable
from benches.python.harness import BARE, Function, Setup, compile_loop, reason
from benches.python.machine import unpinned

from . import names, ours
from .fit import MakeDecorator, always, nothing
from .peers import PEERS

THROUGHPUT = "threads, 1 ms function"
CONTENTION = "threads, two on one wrapper"
THREADS = (1, 4, 16)
AT_MOST = "two over one (minima)"
SECOND = "two over one (median of rounds)"

NAP = 0.001
SAMPLE_NS = 5_000_000
SWITCH_SECONDS = 0.0005


def _contenders() -> dict[str, MakeDecorator]:
    peers = {peer.name: peer.closed for peer in PEERS if peer.closed is not None}
    mine: dict[str, MakeDecorator] = {
        names.FLOOR: ours.pipeline,
        names.COUNT: ours.count_window,
        names.TIME: ours.time_window,
    }
    return {BARE: always(nothing)} | mine | peers


def nap() -> None:
    """What a call to a near service is like: mostly waiting, outside the GIL."""
    time.sleep(NAP)


def throughput(effort: Effort) -> GaugeTable:
    """Calls a second through one breaker, by the number of threads that call."""
    rows: dict[str, list[float | None]] = {}
    absent: dict[str, str] = {}
    with unpinned():
        for name, make in _contenders().items():
            try:
                protected = make()(nap)
                rows[name] = [rate(protected, many, effort.thread_seconds) for many in THREADS]
            except Exception as error:
                absent[name] = reason(error)
    about = "Calls a second of a function that sleeps 1 ms, all through one breaker."
    columns = [f"{many} thread{'s' * (many > 1)}" for many in THREADS]
    return GaugeTable(THROUGHPUT, about, columns, rows, absent, digits=0)


def contention(effort: Effort) -> GaugeTable:
    """One wrapper called by one thread, then by two: wall time a call, over all threads."""
    rows: dict[str, list[float | None]] = {}
    absent: dict[str, str] = {}
    lanes: dict[str, _Pair] = {}
    for name, make in _contenders().items():
        try:
            lanes[name] = _Pair(make()(_fresh()))
        except Exception as error:
            absent[name] = reason(error)
    gc.collect()
    gc.disable()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)  # many turns in a sample short enough to be undisturbed
    try:
        with unpinned():
            for _ in range(effort.thread_rounds):
                for lane in lanes.values():
                    lane.sample()
    finally:
        sys.setswitchinterval(usual)
        gc.enable()
    for name, lane in lanes.items():
        one, two = min(lane.alone), min(lane.together)
        ratios = [b / a for a, b in zip(lane.alone, lane.together, strict=True)]
        rows[name] = [one, two, two / one, statistics.median(ratios)]
    about = (
        "ns a call, wall time over all threads, on every core: one thread, then two threads "
        "that share the wrapper. With the GIL two threads take turns, here every half millisecond; "
        "what they pay more than bare ones do is contention in the wrapper."
    )
    columns = ["one thread", "two threads", AT_MOST, SECOND]
    return GaugeTable(CONTENTION, about, columns, rows, absent, digits=2)


def _fresh() -> Function:
    """A function with a code object of its own."""

    def call(x: object) -> object:
        return x

    return call


class _Pair:
    """One contender, timed by one thread and by two."""

    def __init__(self, wrapper: Function) -> None:
        setup = Setup(f=wrapper)
        self._wrapper = wrapper
        self._loops = [compile_loop(setup, asynchronous=False) for _ in range(2)]
        self._unroll = setup.unroll
        for loop in self._loops:
            loop(100, wrapper, 1, None, None)
        self._count = 100
        while self._least_spent() < SAMPLE_NS // 4:
            self._count *= 2
        self._count = self._count * SAMPLE_NS // self._least_spent()
        self.alone: list[float] = []
        self.together: list[float] = []

    def _least_spent(self) -> int:
        """Of two turns: an interruption here would leave all samples too short."""
        return min(int(loop(self._count, self._wrapper, 1, None, None)) for loop in self._loops)

    def sample(self) -> None:
        """One round: alone, then together."""
        self.alone.append(self._wall(1))
        self.together.append(self._wall(2))

    def _wall(self, many: int) -> float:
        barrier = threading.Barrier(many + 1)
        begun: list[int] = []
        ended: list[int] = []

        def work(number: int) -> None:
            barrier.wait()
            begun.append(time.perf_counter_ns())
            self._loops[number](self._count, self._wrapper, 1, None, None)
            ended.append(time.perf_counter_ns())

        with_threads([partial(work, number) for number in range(many)], barrier.wait)
        calls = self._count * self._unroll * many
        return (max(ended) - min(begun)) / calls
