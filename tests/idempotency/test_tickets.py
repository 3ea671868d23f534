"""The usual way of a call is native. Where there is more to decide, Python goes on with it."""

import contextvars

import pytest
import seawall
from seawall._core import Ticket
from seawall.idempotency import current_claim, idempotent
from seawall.idempotency.claim import current
from seawall.idempotency.conversation import Run

from tests.threads import in_threads


@pytest.fixture
def adopted(monkeypatch):
    """The runs that tickets have become."""
    made = []
    usual = Run.adopted.__func__

    def noted(cls, operation, facts):
        made.append(facts)
        return usual(cls, operation, facts)

    monkeypatch.setattr(Run, "adopted", classmethod(noted))
    return made


def test_a_usual_call_makes_no_run(caller, store, adopted):
    """Claimed, run, completed, replayed: nothing of it is decided in Python."""
    call = caller.operation(lambda order: [order], store=store)
    assert [call(1), call(1), call(2)] == [[1], [1], [2]]
    assert adopted == []
    assert call.idempotency.local.running == {}
    assert store.counted.settled == 2


def test_a_body_that_asks_for_its_claim_makes_a_run(caller, store, adopted):
    """Then Python goes on with it, once, and it ends as any other."""
    told = []

    def body(order):
        told.append((current_claim().fence, current_claim().attempt, current_claim().key))
        return order

    call = caller.operation(body, store=store, key=lambda order: order)
    assert [call("a"), call("a")] == ["a", "a"]
    ((fence, attempt, key),) = told
    assert fence == store.get("a", scope="test").fence
    assert (attempt, key) == (1, "a")
    assert len(adopted) == 1
    assert call.idempotency.local.running == {}


def test_who_listens_hears_all(caller, memory):
    """Also of an operation whose body began before anybody listened."""
    told = []
    heard = []

    def body():
        heard.append(seawall.subscribe(lambda event: told.append(event.kind)))

    call = caller.operation(body, store=memory)
    try:
        call()
    finally:
        heard[0].cancel()
    assert told == ["idempotency.completed"]


class Nosy:
    """A codec that has Python go on with the call while its result is written."""

    name, number = "nosy", 200

    def encode(self, value):
        """Writes it; the ticket becomes a run meanwhile, as if its lease was due."""
        for ticket in held:
            ticket.run()
        return repr(value).encode()

    def decode(self, data):
        """As it was written."""
        return data.decode()


held = []


def test_a_result_is_kept_whoever_comes_between(caller, store):
    """The heartbeat finds the call while its result is written: it is completed, once, with it."""

    def body():
        held.append(current.get())
        return 5

    held.clear()
    call = caller.operation(body, store=store, codec=Nosy())
    assert call() == 5
    assert isinstance(held[0], Ticket)
    call.idempotency.local._kept.clear()
    assert call() == "5"
    (record,) = store.list()
    assert record.state == "completed"
    assert store.counted.settled == 1


def test_what_is_over_gives_no_claim(caller, memory):
    """A context that was copied in the body finds nothing in it afterwards."""
    contexts = []
    call = caller.operation(lambda: contexts.append(contextvars.copy_context()), store=memory)
    call()
    assert contexts[0].run(current_claim) is None


def test_an_error_releases_and_a_store_that_closes_is_told(caller, memory):
    """Of what is no usual end, Python decides: an error lets go, an unrecorded end is said."""

    def fails():
        raise ValueError("no")

    call = caller.operation(fails, store=memory, name="fails")
    with pytest.raises(ValueError, match="no"):
        call()
    assert [record.state for record in memory.list()] == ["released"]

    closes = caller.operation(memory.close, store=memory, name="closes")
    with pytest.raises(seawall.OutcomeNotRecordedError):
        closes()
    assert closes.idempotency.local.running == {}


def test_many_at_once_run_once(memory):
    """Of threads that call with one key at once one runs; the others get its result."""
    ran = []
    call = idempotent(store=memory, name="many")(lambda: ran.append(1) or len(ran))
    results = []
    in_threads(16, lambda _: results.append(call()))
    assert results == [1] * 16
    assert ran == [1]
