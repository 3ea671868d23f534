"""A great many calls of every path leave nothing behind."""

import pytest

from tests import needs
from tests.calls.conftest import finish
from tests.calls.leaks.blocks import Blocks
from tests.calls.leaks.calls import Calls
from tests.calls.leaks.items import Items
from tests.calls.leaks.keyed import Keyed
from tests.calls.leaks.later import Later
from tests.calls.leaks.subject import Subject, TroubleError
from tests.kept import nothing_is_kept, resident

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
    watched = [
        paths.argument,
        paths.result,
        paths.breaker,
        paths.shut,
        paths.error,
        None,
        TroubleError,
    ]

    async def once():
        go()

    rounds = ROUNDS // 10 if path in SLOW else ROUNDS
    finish(nothing_is_kept(once, watched, rounds=rounds, stretch=1000, stretches=5))


@needs.proc
def test_resident_memory():
    """The process itself does not grow over all paths."""
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
