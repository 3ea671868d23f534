"""What an operation tells, and to whom."""

import threading

import pytest
import seawall
from seawall.idempotency import (
    FingerprintMismatchError,
    OperationInProgressError,
    OutcomeUnknownError,
    idempotency_key,
    idempotent,
)


def kinds(told):
    """The kinds of what was told, without the room."""
    return [event.kind.removeprefix("idempotency.") for event in told]


def test_a_life_is_told(caller, memory, told):
    """Each step in the life of an operation has an event, in order."""

    def body(order):
        if order == "bad":
            raise OSError("gone")
        return threading.Lock() if order == "odd" else order

    call = caller.operation(body, store=memory, key=lambda order: "k" + order[0], name="life")
    call("a")
    call("a")
    with pytest.raises(FingerprintMismatchError):
        call("ab")
    with pytest.raises(OSError, match="gone"):
        call("bad")
    call("odd")
    assert kinds(told) == [
        "owned",
        "completed",
        "replayed",
        "mismatched",
        "owned",
        "released",
        "owned",
        "opaque",
    ]
    assert {event.name for event in told} == {"life"}
    assert [event.key for event in told] == 4 * ["ka"] + 2 * ["kb"] + 2 * ["ko"]
    assert [event.seq for event in told] == sorted({event.seq for event in told})
    assert told[2].local
    assert told[0].fence == told[1].fence > 0
    assert told[0].attempt == 1


def test_conflicts_and_quarantines_are_told(memory, told):
    """A duplicate that is refused, a quarantine, and whoever meets it."""

    def body():
        with pytest.raises(OperationInProgressError):
            other()
        raise OSError("gone")

    def other():
        done = []

        def run():
            try:
                idempotent(store=memory, name="q", on_conflict="refuse", on_event=told.append)(
                    lambda: None
                )()
            except OperationInProgressError as error:
                done.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(30)
        raise done[0]

    call = idempotent(store=memory, name="q", at_most_once=True)(body)
    with pytest.raises(OSError, match="gone"):
        call()
    with pytest.raises(OutcomeUnknownError):
        call()
    assert kinds(told) == ["owned", "conflict", "quarantined", "outcome_unknown"]
    assert not told[1].waits
    assert told[1].retry_after > 0


def test_a_hook_hears_its_operation_alone(memory):
    """`on_event` hears what its own operation tells, and a subscription whatever it asked for."""
    own, all_owned = [], []
    with seawall.subscribe(all_owned.append, kinds=["idempotency.owned"]):
        for name, hook in (("one", own.append), ("two", None)):
            with idempotency_key("k", store=memory, name=name, on_event=hook):
                pass
    assert kinds(own) == ["owned", "completed"]
    assert [event.name for event in all_owned] == ["one", "two"]


def test_nothing_is_built_when_nobody_listens(memory, monkeypatch):
    """Without a listener no event is made."""
    monkeypatch.setattr("seawall.idempotency.operation.of", lambda what: pytest.fail(what))
    with idempotency_key("k", store=memory):
        pass


def test_a_snapshot_says_what_runs(memory):
    """The snapshot counts the calls that run here, of this operation only."""
    seen = []

    def body(order):
        seen.append(call.idempotency.snapshot())

    call = idempotent(store=memory, name="seen", ttl=60)(body)
    with idempotency_key("k", store=memory, name="other"):
        call(1)
    (snapshot,) = seen
    assert (snapshot.name, snapshot.kind, snapshot.store) == ("seen", "idempotency", "memory://")
    assert (snapshot.in_flight, snapshot.settings.ttl) == (1, 60)
    assert call.idempotency.snapshot().in_flight == 0
