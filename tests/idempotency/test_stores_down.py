"""What happens while the store gives no answer."""

import pytest
import seawall
from seawall.idempotency import OutcomeNotRecordedError, current_claim, idempotency_key


@pytest.fixture
def store(memory):
    """A store that is closed."""
    memory.close()
    return memory


def test_it_fails_closed(caller, store):
    """Nothing is run while it can't be known whether it has been run."""
    ran = []
    with pytest.raises(seawall.StoreError):
        caller.operation(lambda: ran.append(1), store=store)()
    with pytest.raises(seawall.StoreError):
        caller.block("k", ran.append, store=store)
    assert ran == []


def test_it_runs_where_that_is_asked_for(caller, store):
    """With on_store_error="run" the body is run, each time, and the event says so."""
    ran, told = [], []
    call = caller.operation(
        lambda: ran.append(current_claim()) or "ran",
        store=store,
        on_store_error="run",
        on_event=told.append,
    )
    assert [call(), call()] == ["ran", "ran"]
    assert ran == [None, None]
    assert [event.kind for event in told] == 2 * ["idempotency.unrecorded"]
    assert isinstance(told[0].error, seawall.StoreError)
    protected = caller.block("k", lambda claim: claim.protected, store=store, on_store_error="run")
    assert not protected


def test_a_result_that_could_not_be_told_is_not_lost(caller, memory):
    """If the store goes while the body runs, the error has the result, and the cause."""

    def body():
        memory.close()
        return {"id": 7}

    with pytest.raises(OutcomeNotRecordedError, match="took effect") as caught:
        caller.operation(body, store=memory)()
    assert caught.value.result == {"id": 7}
    assert isinstance(caught.value.__cause__, seawall.StoreError)


def test_it_is_returned_where_that_is_asked_for(caller, memory):
    """With on_store_error="run" the caller gets the result all the same."""

    def body():
        memory.close()
        return {"id": 7}

    assert caller.operation(body, store=memory, on_store_error="run")() == {"id": 7}


def test_the_bodys_own_error_comes_first(caller, memory):
    """A body that raises while the store is gone raises its own error, which says so."""

    def body():
        memory.close()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        caller.operation(body, store=memory)()
    assert "closed" in caught.value.__notes__[0]


def test_a_block_says_it_too(caller, memory):
    """A block that can't tell how it ended raises on leaving."""

    def body(claim):
        claim.complete(1)
        memory.close()

    with pytest.raises(OutcomeNotRecordedError):
        caller.block("k", body, store=memory)


def test_a_store_without_room_keeps_the_fact(caller):
    """Where there is no room for the result, that it took effect is kept: it is not run again."""
    ran = []
    with seawall.open_store("memory://?max_size=65536") as store:
        call = caller.operation(
            lambda: ran.append(1) or "x" * 100_000, store=store, fingerprint=False
        )
        assert call() == "x" * 100_000
        with pytest.raises(seawall.ResultUnavailableError):
            call()
    assert ran == [1]


def test_nothing_is_left_behind(memory):
    """What could not be told is not renewed or waited for any more."""
    with pytest.raises(OutcomeNotRecordedError), idempotency_key("k", store=memory):
        memory.close()
    from seawall.idempotency.local import local_of

    assert local_of(memory).running == {}
