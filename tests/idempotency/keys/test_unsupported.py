"""What has no stable form, and how that is said."""

import threading

import pytest
import seawall
from seawall.idempotency.arguments import arguments
from seawall.idempotency.keys import fingerprint, stored

from tests.idempotency.keys import shapes


class Service:
    """Whatever it is, it says nothing of itself."""


@pytest.mark.parametrize(
    "value",
    [lambda: None, print, Service(), Service, threading.Lock(), iter([]), (x for x in ""), seawall],
)
def test_what_is_only_of_this_process_is_refused(value):
    """Functions, locks, objects of no known kind: another process would find none of them."""
    with pytest.raises(seawall.IdempotencyKeyError) as caught:
        fingerprint(value)
    assert caught.value.why == "unsupported"
    assert caught.value.kind in str(caught.value)
    assert "key=" in str(caught.value)


def test_the_error_names_the_way_to_it():
    """Fields, places and keys lead to what can't be written."""

    def place(order):
        pass

    order = shapes.Line(sku=[0, {"first": (1, print)}])
    with pytest.raises(seawall.IdempotencyKeyError) as caught:
        arguments(place).digest((order,))
    assert caught.value.path == 'order.sku[1]["first"][1]'
    assert caught.value.kind == "builtin_function_or_method"


def test_keys_of_a_dict_that_may_be_secrets_are_not_shown():
    """Only what looks like a name is shown of what a dict is keyed by."""
    with pytest.raises(seawall.IdempotencyKeyError) as caught:
        fingerprint({"card 4111 1111": {7: print}}, "payload")
    assert caught.value.path == "payload[…][7]"


@pytest.mark.parametrize("make", [lambda it: [it], lambda it: (it,), lambda it: {1: it}])
def test_what_is_nested_too_deep_is_refused(make):
    """128 deep is fine, one more is not: no stack runs over."""
    value = 1
    for _ in range(128):
        value = make(value)
    fingerprint(value)
    with pytest.raises(seawall.IdempotencyKeyError, match="128 deep"):
        fingerprint(make(value))


def test_what_contains_itself_is_refused():
    """A cycle ends in an error, whatever it leads through."""
    loop: list[object] = []
    loop.append({"again": shapes.Line(sku=loop)})
    with pytest.raises(seawall.IdempotencyKeyError, match="contains itself"):
        stored(loop)


def test_two_keys_that_are_one_are_refused():
    """Two NaNs in a dict have one form, and which was first must not count."""
    with pytest.raises(seawall.IdempotencyKeyError, match="not told apart"):
        fingerprint({float("nan"): 1, float("nan"): 2})


def test_what_users_code_raises_is_theirs_to_see():
    """A field that can't be read raises what it raises."""

    class Broken(shapes.Line):
        def __getattribute__(self, name):
            if name == "sku":
                raise LookupError("gone")
            return super().__getattribute__(name)

    with pytest.raises(LookupError, match="gone"):
        fingerprint(Broken("a"))


def test_a_list_that_changes_while_it_is_written_does_no_harm():
    """A field's code may change what lies around it."""
    around: list[object] = []

    class Meddler(shapes.Line):
        def __getattribute__(self, name):
            if name == "sku":
                around.clear()
            return super().__getattribute__(name)

    around.extend([Meddler("a"), 1, 2, 3])
    assert len(fingerprint(around)) == 32
    assert around == []
