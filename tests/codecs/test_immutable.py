"""What may be handed out more than once."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from seawall.codecs import is_immutable

from tests.codecs.results import Line, Pair, State, UserId

NOW = dt.datetime.now(dt.UTC)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1, 2**80, 1.5, 1j, "a", b"a", (), (1, ("a", None)), frozenset({1, (2,)}),
        NOW.date(), NOW, dt.time(), dt.timedelta(1), Decimal(1),
        uuid.UUID(int=1), State.PAID, (State.PAID,),
    ],
)  # fmt: skip
def test_what_never_changes_may_be_shared(value):
    """Plain values, and containers of such that can't be filled."""
    assert is_immutable(value)


@pytest.mark.parametrize(
    "value",
    [[], {}, set(), bytearray(), ([],), ((1, [2]),), Line("a"), Pair(None), UserId("a"), object()],
)
def test_what_might_change_may_not(value):
    """Whatever can, anywhere inside, and all that is not known."""
    assert not is_immutable(value)


def test_what_is_nested_too_deep_is_not_looked_at():
    """No stack runs over."""
    value = ()
    for _ in range(100_000):
        value = (value,)
    assert not is_immutable(value)
    # Taken apart level by level: the interpreter's own way is by recursion.
    while value:
        (value,) = value
