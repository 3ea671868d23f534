"""Blocks that take effect once for each key."""

import pytest
import seawall
from seawall.idempotency import (
    FingerprintMismatchError,
    ResultUnavailableError,
    idempotency_key,
)


def place(claim):
    """A body as the documentation has it."""
    if claim.replayed:
        return ("replayed", claim.result)
    claim.complete({"order": 1})
    return ("ran", {"order": 1})


def test_it_completes_once(caller, store):
    """The second block with a key is told the first one's result."""
    results = [caller.block("order-1", place, store=store, payload={"a": 1}) for _ in range(3)]
    assert results == [("ran", {"order": 1})] + 2 * [("replayed", {"order": 1})]


def test_left_without_a_word_it_has_completed_with_none(caller, store):
    """A block that is left normally is never run again."""
    ran = []
    for _ in range(2):
        caller.block("k", lambda claim: claim.replayed or ran.append(1), store=store)
    assert ran == [1]
    assert caller.block("k", lambda claim: claim.result, store=store) is None


def test_another_payload_is_refused(caller, store):
    """A key that comes with another payload is not entered."""
    caller.block("k", place, store=store, payload=b"one")
    with pytest.raises(FingerprintMismatchError):
        caller.block("k", place, store=store, payload=b"two")


def test_left_by_an_error_it_may_be_entered_again(caller, store):
    """What is raised inside is raised, and the key released."""
    with pytest.raises(ZeroDivisionError):
        caller.block("k", lambda claim: 1 / 0, store=store)
    assert caller.block("k", lambda claim: claim.attempt, store=store) == 2


def test_what_was_said_counts_whatever_is_raised_afterwards(caller, store):
    """A block that has completed has completed, though an error leaves it."""

    def body(claim):
        claim.complete(5)
        raise OSError("late")

    with pytest.raises(OSError, match="late"):
        caller.block("k", body, store=store)
    assert caller.block("k", lambda claim: claim.result, store=store) == 5


def test_the_result_is_that_of_the_moment(caller, memory):
    """What the body makes of its result after `complete` is not kept."""

    def body(claim):
        result = [1]
        claim.complete(result)
        result.append(2)

    caller.block("k", body, store=memory)
    assert caller.block("k", lambda claim: claim.result, store=memory) == [1]


def test_released_by_hand(caller, store):
    """A body that had no effect says so, and the next one runs."""
    caller.block("k", lambda claim: claim.release(), store=store)
    assert caller.block("k", lambda claim: (claim.replayed, claim.attempt), store=store) == (
        False,
        2,
    )


def test_failed_by_hand(caller, store):
    """An error that is said to be its end is raised for all later blocks, on entering."""
    ran = []

    def body(claim):
        ran.append(1)
        claim.fail(ValueError("no such card"))

    options = {"store": store, "store_errors": ValueError}
    caller.block("k", body, **options)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such card"):
            caller.block("k", body, **options)
    assert ran == [1]


def test_ends_are_said_once(caller, memory):
    """A second word, one after the end, and one of a replayed claim are errors of the program."""
    claims = []

    def body(claim):
        claims.append(claim)
        claim.complete(1)
        with pytest.raises(RuntimeError, match="said already"):
            claim.release()

    caller.block("k", body, store=memory)
    with pytest.raises(RuntimeError, match="over"):
        claims[0].complete(2)

    def again(claim):
        with pytest.raises(RuntimeError, match="replayed"):
            claim.complete(3)
        return claim.result

    assert caller.block("k", again, store=memory) == 1


def test_no_result_before_there_is_one(memory):
    """The result of a claim that is not replayed is an error of the program."""
    with idempotency_key("k", store=memory) as claim:
        with pytest.raises(RuntimeError, match="not replayed"):
            claim.result  # noqa: B018
        assert not claim.replayed


def test_a_block_is_entered_once(memory):
    """A second time it would be another operation: make one for each."""
    block = idempotency_key("k", store=memory)
    with block:
        pass
    with pytest.raises(RuntimeError, match="make one"), block:
        pass


def test_what_cant_be_kept(caller, store):
    """A result that can't be written is told to later ones, or is their default."""
    caller.block("k", lambda claim: claim.complete(object()), store=store)
    with pytest.raises(ResultUnavailableError):
        caller.block("k", lambda claim: claim.result, store=store)
    assert caller.block("k", lambda claim: claim.result, store=store, default=7) == 7


@pytest.mark.parametrize("key", [None, "", b""])
def test_a_key_that_is_none_is_refused(memory, key):
    """An empty key is one that all share who forgot theirs."""
    with pytest.raises(seawall.IdempotencyKeyError):
        idempotency_key(key, store=memory)


def test_a_claim_shows_itself(memory):
    """The claim of a block says what it is of."""
    with idempotency_key("k", store=memory, name="order") as claim:
        assert repr(claim) == "<Claim of 'order' with key 'k': owned>"
        assert (claim.name, claim.key, claim.protected) == ("order", "k", True)
