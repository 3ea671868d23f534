"""A great many calls of every path leave nothing behind."""

import gc
import itertools
import sys
import tracemalloc

import pytest

from tests import needs
from tests.calls.leaks.blocks import Blocks
from tests.calls.leaks.calls import Calls
from tests.calls.leaks.items import Items
from tests.calls.leaks.keyed import Keyed
from tests.calls.leaks.later import Later
from tests.calls.leaks.subject import Subject, TroubleError

ROUNDS = 20_000


class Paths(Calls, Later, Items, Blocks, Keyed):
    """Every path of a call; each method is run many times."""


NO_PATHS = {*vars(Subject), "blocks_later"}
PATHS = [
    name
    for part in Paths.__bases__
    for name, value in vars(part).items()
    if callable(value) and value.__doc__ and name not in NO_PATHS
]
SLOW = {
    "decorated_and_thrown_away",
    "refused_to_decorate",
    "captured",
    "carried",
    "bound_as_it_says",
    "asked",
    "attributes",
    "block",
    "block_by_a_stack",
    "block_by_hand",
    "block_dropped",
    "generated",
    "generated_and_left",
    "generated_later",
    "generated_later_and_left",
}


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_kept(path):
    """Counts of references, of tracked objects and of traced memory stay as they were."""
    paths = Paths()
    go = getattr(paths, path)
    rounds = ROUNDS // 10 if path in SLOW else ROUNDS
    watched = [
        paths.argument,
        paths.result,
        paths.breaker,
        paths.shut,
        paths.error,
        None,
        TroubleError,
    ]

    def measure():
        gc.collect()
        counts = [sys.getrefcount(one) for one in watched]
        return counts, len(gc.get_objects())

    for _ in range(200):
        go()
    before, objects = measure()
    for _ in range(rounds):
        go()
    after, objects_after = measure()
    grown = [late - early for early, late in zip(before, after, strict=True)]
    assert max(grown) < 20, grown
    assert objects_after - objects < 20
    tracemalloc.start()
    try:
        for _ in range(100):
            go()
        traced = []
        for _ in range(5):
            gc.collect()
            traced.append(tracemalloc.get_traced_memory()[0])
            for _ in range(1000):
                go()
    finally:
        tracemalloc.stop()
    # What leaks does so in every stretch; a table that doubles in one, a free list in the first.
    assert min(late - early for early, late in itertools.pairwise(traced)) < 4000


@needs.proc
def test_resident_memory():
    """The process itself does not grow over all paths."""

    def resident():
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123
            return int(pages.read().split()[1]) * 4096

    paths = Paths()

    def everything(rounds):
        for path in PATHS:
            go = getattr(paths, path)
            for _ in range(rounds // (10 if path in SLOW else 1)):
                go()

    everything(5_000)
    before = resident()
    everything(10_000)
    assert resident() - before < 1_000_000
