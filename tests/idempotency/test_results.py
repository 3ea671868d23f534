"""What operations return and raise comes back from a store as what it was."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
import seawall
from seawall.codecs import AsAnnotated


@dataclasses.dataclass
class Receipt:
    """What is returned."""

    order: str
    amount: Decimal
    at: dt.datetime


RECEIPT = Receipt("a", Decimal("12.50"), dt.datetime(2026, 3, 1, tzinfo=dt.UTC))


@pytest.fixture
def memory():
    """A store of its own."""
    with seawall.open_store("memory://") as store:
        yield store


@pytest.mark.parametrize("codec", ["messagepack", "json"])
def test_a_result_is_replayed_as_what_it_was(memory, codec):
    """Its class is that of the return annotation, and nobody shares it."""

    @seawall.idempotent(key=lambda order: order, store=memory, name="pay", codec=codec)
    def pay(order: str) -> Receipt:
        return RECEIPT

    first, second, third = pay("a"), pay("a"), pay("a")
    assert first is RECEIPT
    assert second == third == RECEIPT
    assert type(second) is Receipt
    assert second is not third


@pytest.mark.parametrize(
    "result",
    [
        RECEIPT,
        AsAnnotated({"order": "a", "amount": "12.50", "at": "2026-03-01T00:00:00+00:00"}),
    ],
)
def test_an_operators_result_is_what_callers_get(memory, result):
    """Given as the object itself, or as the JSON that somebody has at a terminal."""

    @seawall.idempotent(key=lambda order: order, store=memory, name="pay", at_most_once=True)
    def pay(order: str) -> Receipt:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        pay("a")
    with pytest.raises(seawall.OutcomeUnknownError):
        pay("a")
    memory.resolve("a", result, scope="pay")
    assert pay("a") == RECEIPT


def test_what_is_stored_and_can_not_be_read_is_not_run_again(memory):
    """A codec that is not configured any more, or a class that is gone: an error, no effect."""
    runs = []

    @seawall.idempotent(
        key=lambda order: order,
        store=memory,
        name="pay",
        codec=seawall.codecs.unsafe_pickle(),
    )
    def pay(order: str) -> Receipt:
        runs.append(order)
        return RECEIPT

    @seawall.idempotent(key=lambda order: order, store=memory, name="pay")
    def pay_now(order: str) -> Receipt:
        runs.append(order)
        return RECEIPT

    pay("a")
    with pytest.raises(seawall.DecodeError, match="unsafe_pickle"):
        pay_now("a")
    assert runs == ["a"]


def test_an_argument_without_a_form_stops_the_call(memory):
    """Nothing is run, and the way to it is named."""
    runs = []

    @seawall.idempotent(store=memory, name="ship")
    def ship(order) -> None:
        runs.append(order)

    with pytest.raises(seawall.IdempotencyKeyError) as caught:
        ship({"callback": print})
    assert caught.value.path == 'order["callback"]'
    assert runs == []
