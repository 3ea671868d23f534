"""Arguments as a call's signature binds them."""

import functools

import pytest
import seawall
from hypothesis import given
from hypothesis import strategies as st
from seawall.idempotency.arguments import arguments

UNSET = object()


def place(order, /, amount, *rest, urgent=False, then=UNSET, **more):
    """Parameters of every kind."""


PLACE = arguments(place)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("a",), {"amount": 5}),
        (("a", 5), {"urgent": False}),
        (("a", 5), {"then": UNSET}),
        (("a",), {"urgent": False, "amount": 5}),
    ],
)
def test_however_it_is_called_it_is_one_call(args, kwargs):
    """By place or by name, with defaults given or left: the same digest."""
    assert PLACE.digest(args, kwargs) == PLACE.digest(("a", 5))


def test_different_calls_are_apart():
    """Each argument counts, and where it stands."""
    calls = [
        (("a", 5), {}), (("a", 6), {}), (("b", 5), {}), ((5, "a"), {}), (("a", 5, 7), {}),
        (("a", 5, 7, 8), {}), (("a", 5), {"urgent": True}), (("a", 5), {"then": 1}),
        (("a", 5), {"other": 1}), (("a", 5), {"order": "a"}), (("a", 5, {}), {}),
    ]  # fmt: skip
    assert len({PLACE.digest(args, kwargs) for args, kwargs in calls}) == len(calls)


@given(st.permutations(["amount", "urgent", "x", "y"]))
def test_the_order_of_names_does_not_count(names):
    """Keywords are told apart by their names."""
    values = {name: at for at, name in enumerate(sorted(names))}
    shuffled = {name: values[name] for name in names}
    assert PLACE.digest(("a",), shuffled) == PLACE.digest(("a",), values)


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (place, (), {}),
        (place, ("a",), {}),
        (place, ("a", 5), {"amount": 6}),
        (lambda a: None, (1, 2), {}),
        (lambda a: None, (1,), {"b": 2}),
        (lambda a, /: None, (), {"a": 1}),
        (lambda *, a: None, (1,), {}),
    ],
)
def test_what_does_not_fit_raises_what_the_call_would(function, args, kwargs):
    """A `TypeError`, as for any call; the same calls fail as Python lets fail."""
    with pytest.raises(TypeError):
        function(*args, **kwargs)
    with pytest.raises(TypeError):
        arguments(function).digest(args, kwargs)


def test_self_and_cls_are_left_out():
    """Two instances share their operations; what is merely called otherwise does not count less."""

    class Shop:
        def pay(self, order):
            pass

    digest = arguments(Shop.pay).digest
    assert digest((Shop(), 1)) == digest((Shop(), 1)) != digest((Shop(), 2))
    assert arguments(Shop().pay).digest((1,)) == digest((Shop(), 1))
    with pytest.raises(seawall.IdempotencyKeyError, match="self"):
        arguments(Shop.pay, bound=True).digest((Shop(), 1))


def test_parameters_can_be_left_out():
    """What does not tell calls apart, such as a session, need not have a form."""
    digest = arguments(lambda order, session: None, without=["session"]).digest
    assert digest(("a", print)) == digest(("a", len)) != digest(("b", len))
    with pytest.raises(seawall.ConfigError, match="missing must be parameters"):
        arguments(place, without=["missing"])


def test_a_wrapper_is_taken_at_its_own_word():
    """What it wraps may have other parameters: a session that it adds, for one."""

    @functools.wraps(place)
    def wrapper(*args, **kwargs):
        pass

    assert len(arguments(wrapper).digest((), {})) == 32


def test_a_mutable_argument_counts_as_it_is_at_the_call():
    """The digest is made at once: later changes are not seen."""
    basket = [1]
    before = PLACE.digest((basket, 1))
    basket.append(2)
    assert before != PLACE.digest((basket, 1))
    assert before == PLACE.digest(([1], 1))


def test_a_key_of_arguments_is_their_digest():
    """Without a key of its own an operation is stored under the digest of its arguments."""
    key, digest = PLACE.key(("a", 5))
    assert digest == PLACE.digest(("a", 5))
    assert key == b"~1:" + digest.hex().encode()


def test_what_has_no_signature_is_refused():
    """Some callables of C have none: their arguments have no names."""
    with pytest.raises(seawall.ConfigError, match="must have a signature"):
        arguments(dict.update)
