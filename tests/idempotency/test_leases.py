"""Leases: renewed while a body runs, lost, and given up."""

import asyncio
import threading
import time

import pytest
from seawall import _core
from seawall.idempotency import (
    AttemptsExhaustedError,
    LeaseLostError,
    OutcomeUnknownError,
    current_claim,
    heartbeat,
    idempotency_key,
    idempotent,
)
from seawall.stores import open_store

from tests.threads import in_threads, until

#: Seconds. Real time: leases go by the store's clock, which nobody can set.
LEASE = 0.3


def record(store):
    """The only record."""
    (only,) = store.list()
    return only


@pytest.fixture
def stopped(monkeypatch):
    """No lease is renewed, as in a process that stands still."""
    monkeypatch.setattr(heartbeat, "watch", lambda local, rhythm: None)


def test_a_lease_is_renewed_while_the_body_runs(store):
    """A body that takes longer than its lease keeps it: nobody else is given it."""
    ran = []

    def body():
        ran.append(1)
        began = record(store).lease_until
        # Three renewals are longer than one lease.
        until(lambda: (record(store).lease_until - began).total_seconds() > 1.2 * LEASE)
        return current_claim().lost

    call = idempotent(store=store, name="long", lease=LEASE)(body)
    assert call() is False
    assert ran == [1]


def test_a_loop_that_is_blocked_keeps_its_lease(store):
    """Leases of tasks are renewed although their loop stands still for longer."""

    async def body():
        time.sleep(2 * LEASE)  # noqa: ASYNC251  Real time: the loop is to stand still, leases go on
        return current_claim().lost

    call = idempotent(store=store, name="blocked", lease=LEASE)(body)
    assert asyncio.run(call()) is False


def test_nothing_is_renewed_for_ever(store):
    """After `max_lease` a lease ends, and the claim says so."""

    def body():
        claim = current_claim()
        assert not claim.lost
        until(lambda: claim.lost)
        until(lambda: record(store).lease_until == record(store).hard_deadline)

    call = idempotent(store=store, name="capped", lease=LEASE / 2, max_lease=LEASE)(body)
    assert call() is None


@pytest.mark.usefixtures("stopped")
def test_a_stale_end_is_refused(store):
    """A run whose operation another has taken over and still has is told that it has lost it."""
    inside, go_on = threading.Event(), threading.Event()
    lost = []

    def second():
        with idempotency_key("k", store=store, lease=LEASE) as claim:
            lost.append(claim.attempt)
            inside.set()
            assert go_on.wait(30)
            claim.complete("second")

    thread = threading.Thread(target=second)

    def first():
        with idempotency_key("k", store=store, lease=LEASE) as claim:
            until(lambda: claim.lost)
            thread.start()
            assert inside.wait(30)
            claim.complete("first")

    with pytest.raises(LeaseLostError, match="lost its lease"):
        first()
    go_on.set()
    thread.join(30)
    assert lost == [2]
    assert store.counted.stale == 1
    assert record(store).state == "completed"


@pytest.mark.usefixtures("stopped")
def test_a_stale_run_gets_what_the_other_one_kept(store):
    """A function whose operation was taken over and completed returns what is kept, not its own."""
    results = []

    def body():
        claim = current_claim()
        if claim.attempt == 1:
            until(lambda: claim.lost)
            thread = threading.Thread(target=lambda: results.append(call()))
            thread.start()
            thread.join(30)
            return "first"
        return "second"

    call = idempotent(store=store, name="stale", lease=LEASE)(body)
    assert call() == "second"
    assert results == ["second"]


@pytest.mark.usefixtures("stopped")
def test_at_most_once_a_lost_operation_waits_for_an_operator(store):
    """Nobody takes it over; its true owner's result is kept if it comes after all."""
    with idempotency_key("k", store=store, lease=LEASE, at_most_once=True) as claim:
        until(lambda: claim.lost)

        def other(_):
            with (
                pytest.raises(OutcomeUnknownError) as caught,
                idempotency_key("k", store=store, at_most_once=True),
            ):
                pass
            return caught

        (caught,) = in_threads(1, other)
        assert caught.value.since is not None
        assert record(store).state == "quarantined"
        claim.complete(7)
    assert record(store).state == "completed"


def test_it_is_begun_only_so_often(store):
    """An operation whose owners are lost each time is given up after `attempts`."""
    address = store.address("given up", b"k")
    terms = _core.Terms({"lease": 0.01, "attempts": 2})
    for _ in range(2):
        until(lambda: store.call(_core.Op.claim(address, terms)).kind == "owned")
    # It waits for the second lease to end.
    with (
        pytest.raises(AttemptsExhaustedError, match="2 times"),
        idempotency_key("k", store=store, name="given up", attempts=2),
    ):
        pass
    assert record(store).state == "dead"


def test_one_thread_renews_all_and_ends(store):
    """However many run, one thread renews their leases; it ends when none does."""

    def beating():
        names = [thread.name for thread in threading.enumerate()]
        return names.count("seawall-idempotency-heartbeat")

    stores = [open_store("memory://") for _ in range(3)]
    blocks = [idempotency_key(key, store=each, lease=LEASE) for each in stores for key in range(10)]
    for block in blocks:
        block.__enter__()
    assert beating() == 1
    for block in blocks:
        block.__exit__(None, None, None)
    until(lambda: beating() == 0)
    with idempotency_key("again", store=store, lease=LEASE):
        assert beating() == 1


def test_a_thread_that_could_not_be_started_is_started_later(memory, monkeypatch):
    """Where there is no room for a thread the call fails and lets go; the next one is renewed."""

    def full(thread):
        raise RuntimeError("can't start new thread")

    call = idempotent(store=memory, name="full", lease=0.3)(lambda: None)
    until(lambda: heartbeat._process.heart is None or heartbeat._process.heart.thread is None)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        with pytest.raises(RuntimeError, match="start new"):
            call()
    assert [record.state for record in memory.list()] == ["released"]

    def body():
        (before,) = memory.list(state="in_progress")
        until(lambda: next(memory.list(state="in_progress")).lease_until > before.lease_until)

    idempotent(store=memory, name="room", lease=0.3)(body)()
