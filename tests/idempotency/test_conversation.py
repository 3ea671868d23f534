"""What a call says to its store: tested without waiting, threads or tasks."""

import pytest
import seawall
from seawall import _core
from seawall.idempotency import idempotent
from seawall.idempotency.conversation import OVER, OWNED, REPLAYED, Run
from seawall.idempotency.pauses import FIRST_LOOK, LAST_LOOK

from tests.idempotency.test_functions import plain


@pytest.fixture
def runs(memory):
    """What makes runs of one operation."""
    operation = idempotent(store=memory)(plain).idempotency

    made = []

    def run(key=b"k", fingerprint=None):
        made.append(Run(operation, key, fingerprint, None))
        return made[-1]

    run.ask = memory.call
    yield run
    # What is not ended is renewed.
    for each in made:
        each.over()


def test_a_claim_is_owned_and_completed(runs):
    """Ask, be given it, say how it ended: it is kept."""
    run = runs()
    assert run.heard(runs.ask(run.begin())) is None
    assert run.state == OWNED
    assert run.settled(runs.ask(run.returned(5)))
    assert run.state == OVER
    again = runs()
    assert again.heard(runs.ask(again.begin())) is None
    assert (again.state, again.answer()) == (REPLAYED, 5)


def test_who_waits_for_a_stranger_looks_less_and_less_often(runs):
    """Between two looks the time doubles up to its limit, and is spread."""
    owner, run = runs(), runs()
    owner.heard(runs.ask(owner.begin()))
    # As if it ran in another process.
    owner.operation.local.running.clear()
    op = run.begin()
    pauses = []
    for look in range(12):
        pauses.append(run.heard(runs.ask(op)))
        most = min(FIRST_LOOK * 2**look, LAST_LOOK)
        assert most / 2 <= pauses[-1] <= most
        assert run.awaited is None
        op = run.again()
    assert len(set(pauses)) > 6


def test_who_waits_for_a_run_here_is_given_its_bell(runs):
    """A run in this process rings when it is over; once it is, there is nothing to wait for."""
    owner, first, second = runs(), runs(), runs()
    owner.heard(runs.ask(owner.begin()))
    rung = []
    for run in (first, second):
        assert run.heard(runs.ask(run.begin())) > LAST_LOOK / 2
        assert run.awaited.listen(lambda: rung.append(1))
    assert owner.settled(runs.ask(owner.released()))
    assert rung == [1, 1]
    assert owner.bell() is None
    assert not first.awaited.listen(lambda: rung.append(2))


def test_a_repeated_claim_is_the_same_claim(runs):
    """An answer that was lost is asked for again, and given: with one owner there is one run."""
    run = runs()
    first = runs.ask(run.begin())
    again = runs.ask(run.again())
    assert (first.kind, again.kind) == ("owned", "owned")
    assert first.fence == again.fence


def test_an_end_is_told_again_while_the_store_is_away(runs):
    """What may pass is tried again for as long as the store's timeout; what won't is given up."""
    run = runs()
    run.heard(runs.ask(run.begin()))
    run.returned(1)
    away = seawall.StoreUnavailableError("memory://", "gone")
    asked = run._asked
    pauses = [run.unsettled(away, asked) for _ in range(8)]
    assert all(pause > 0 for pause in pauses)
    assert pauses[-1] > pauses[0]
    assert run.unsettled(away, asked - 60) is None
    assert run.state == OVER


def test_no_key_is_anothers(runs):
    """Names and keys of any form never meet in what this process remembers."""
    store = seawall.open_store("memory://")
    one = idempotent(store=store, name="a")(plain).idempotency
    other = idempotent(store=store, name="ab")(plain).idempotency
    assert Run(one, b"bc", None, None).place != Run(other, b"c", None, None).place


def test_a_bell_rings_each_once():
    """Whoever listens before it rings is called once; whoever comes later is told so."""
    from seawall.idempotency.local import Bell

    bell, rung = Bell(), []
    for number in range(3):
        assert bell.listen(lambda number=number: rung.append(number))
    bell.ring()
    bell.ring()
    assert rung == [0, 1, 2]
    assert bell.rung
    assert not bell.listen(rung.clear)


def test_a_loop_that_is_gone_keeps_nobody_from_being_woken():
    """A ring that fails, as of a loop that was closed, is nothing to the others."""
    from seawall.idempotency.local import Bell

    bell, rung = Bell(), []

    def gone():
        raise RuntimeError("closed")

    bell.listen(gone)
    bell.listen(lambda: rung.append(1))
    bell.ring()
    assert rung == [1]


def test_what_is_remembered_is_bounded(memory):
    """Of more results than there is room for, and of long ones, none is kept in memory."""
    from seawall.idempotency import local

    call = idempotent(store=memory)(plain)
    for number in range(local.MOST_KEPT + 10):
        call(number)
    kept = call.idempotency.local._kept
    assert len(kept) == local.MOST_KEPT
    call("x" * (local.LONGEST_KEPT + 1))
    assert len(kept) == local.MOST_KEPT
    assert memory.stats().total == local.MOST_KEPT + 11


def test_what_is_remembered_goes_with_its_store():
    """A store that is gone leaves nothing behind."""
    import gc
    import weakref

    store = seawall.open_store("memory://")
    call = idempotent(store=store)(plain)
    call(1)
    gone = weakref.ref(call.idempotency.local)
    del call, store
    gc.collect()
    assert gone() is None


def test_terms_reach_the_store(memory):
    """What an operation says of leases and attempts is what is claimed with."""
    made = idempotent(store=memory, lease=7, max_lease=70, ttl=700, attempts=5)(plain)
    terms = made.idempotency.terms
    assert isinstance(terms, _core.Terms)
    assert (terms.lease, terms.max_lease, terms.ttl, terms.attempts) == (7, 70, 700, 5)


def test_a_claim_whose_connection_was_lost_is_asked_again(runs, monkeypatch):
    """It may have been given: asked again it is the same claim, and nobody waits for a lease."""
    from seawall.idempotency import drivers

    run = runs()
    asked = []

    class Store:
        timeout = 10.0

        def call(self, op, patience):
            asked.append(op)
            reply = runs.ask(op)
            if len(asked) == 1:
                raise seawall.StoreConnectionError("memory://", "reset by peer")
            return reply

    monkeypatch.setattr(run.operation, "store", Store())
    drivers.claim(run)
    assert run.state == OWNED
    assert asked[0] is asked[1]
    assert (run.attempt, len(asked)) == (1, 2)


def test_a_store_that_is_away_is_given_up(runs, monkeypatch):
    """A connection that is lost each time is an error soon."""
    from seawall.idempotency import drivers

    asked = []

    class Store:
        timeout = 10.0

        def call(self, op, patience):
            asked.append(op)
            raise seawall.StoreConnectionError("memory://", "reset by peer")

    run = runs()
    monkeypatch.setattr(run.operation, "store", Store())
    with pytest.raises(seawall.StoreConnectionError):
        drivers.claim(run)
    assert 1 < len(asked) < 10
