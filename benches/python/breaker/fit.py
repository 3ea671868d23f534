"""Which decorators stand in a race: CPython's own, seawall's and the peers', by name.

Every factory makes a fresh decorator. Two functions that it decorates share one breaker.
"""

import functools

from benches.python.functions import (
    MakeDecorator,
    always,
    nothing,
    pass_through,
    pass_through_async,
)
from benches.python.harness import AGAIN

from . import names, ours
from .peers import PEERS


def baselines() -> dict[str, MakeDecorator]:
    """What CPython itself has to offer."""
    return {
        AGAIN: always(nothing),
        names.PARTIAL: always(functools.partial),
        names.LRU_CACHE: always(functools.lru_cache(maxsize=None)),
        names.PY_WRAPPER: always(pass_through),
    }


def baselines_async() -> dict[str, MakeDecorator]:
    """The same for coroutine functions."""
    return {AGAIN: always(nothing), names.PY_WRAPPER: always(pass_through_async)}


def succeeding() -> dict[str, MakeDecorator]:
    """All that can stand before a function and let it succeed."""
    peers = {peer.name: peer.closed for peer in PEERS if peer.closed is not None}
    return baselines() | ours.plain() | peers


def succeeding_async() -> dict[str, MakeDecorator]:
    """All that can stand before a coroutine function and let it succeed."""
    peers = {peer.name: peer.closed_async for peer in PEERS if peer.closed_async is not None}
    return baselines_async() | ours.plain() | peers
