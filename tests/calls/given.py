"""What the tests of generators, plain and asynchronous, have in common."""

import contextlib

GIVEN = [1, 2, 3]


class TroubleError(Exception):
    """A failure."""


def raise_trouble():
    """Raises."""
    raise TroubleError


def half_open(breaker, clock):
    """Brings a breaker to where the next call is its only probe."""
    with contextlib.suppress(TroubleError):
        breaker.call(raise_trouble)
    clock.advance(11)
