"""An operation in the user's transaction happens exactly once, with each driver."""

import pytest
from seawall import (
    ConfigError,
    FingerprintMismatchError,
    NestedOperationError,
    ResultUnavailableError,
)

from tests.idempotency.transaction.desks import run
from tests.idempotency.transaction.given import block


async def charged(desk, key="order-1", what="1", **changes):
    """Charges in a transaction; whether it was charged before, and the result."""
    async with desk.transaction() as transaction:
        async with desk.within(block(transaction, key, **changes)) as claim:
            if claim.replayed:
                return True, claim.result
            await desk.write(what)
            claim.complete({"receipt": what})
    return False, {"receipt": what}


def test_twice(desk, charges):
    """The second transaction writes nothing, and gets what the first came to."""
    assert run(charged(desk())) == (False, {"receipt": "1"})
    assert run(charged(desk(), what="2")) == (True, {"receipt": "1"})
    assert charges() == ["1"]


def test_keys(desk, charges):
    """Other keys, and the same key of other operations, are other operations."""
    run(charged(desk()))
    assert run(charged(desk(), key="order-2", what="2"))[0] is False
    assert run(charged(desk(), name="refund", what="3"))[0] is False
    assert charges() == ["1", "2", "3"]


def test_rolled_back(desk, charges):
    """A rollback leaves no trace: the next transaction charges."""

    async def undone():
        one = desk()
        transaction = await one.begin()
        async with one.within(block(transaction)) as claim:
            await one.write("lost")
            claim.complete("lost")
        await one.rollback()
        await one.close()

    run(undone())
    assert run(charged(desk()))[0] is False
    assert charges() == ["1"]


def test_error_in_the_block(desk, charges):
    """An error undoes what the block wrote and goes on; the transaction stays the caller's."""

    async def caught():
        one = desk()
        async with one.transaction() as transaction:
            await one.write("before")
            with pytest.raises(ZeroDivisionError):
                async with one.within(block(transaction)):
                    await one.write("lost")
                    raise ZeroDivisionError
            await one.write("after")

    run(caught())
    assert run(charged(desk()))[0] is False
    assert charges() == ["before", "after", "1"]


def test_failed_statement(desk, charges):
    """A statement that fails in the block, and whose error leaves it, costs only the block."""

    async def failed():
        one = desk()
        async with one.transaction() as transaction:
            await one.write("before")
            with pytest.raises(Exception, match="nowhere"):
                async with one.within(block(transaction)):
                    await one.ask("SELECT 1 FROM nowhere")
            await one.write("after")

    run(failed())
    assert charges() == ["before", "after"]


def test_no_result(desk):
    """A block that says nothing has completed with None."""

    async def silent():
        one = desk()
        async with one.transaction() as transaction, one.within(block(transaction)) as claim:
            return claim.replayed or claim.result

    with pytest.raises(RuntimeError, match="is not replayed"):
        run(silent())

    async def left():
        one = desk()
        async with one.transaction() as transaction, one.within(block(transaction)) as claim:
            return claim.replayed and claim.result is None

    assert run(left()) is False
    assert run(left()) is True


def test_opaque(desk, charges):
    """A result that can't be kept is replaced by an error or a default; nothing runs twice."""

    async def unkept(**changes):
        one = desk()
        async with one.transaction() as transaction:
            async with one.within(block(transaction, **changes)) as claim:
                if claim.replayed:
                    return claim.result
                await one.write("1")
                claim.complete(object())
        return None

    run(unkept())
    with pytest.raises(ResultUnavailableError, match="order-1"):
        run(unkept())
    assert run(unkept(default="somewhere")) == "somewhere"
    assert charges() == ["1"]


def test_fingerprint(desk, charges):
    """The key with something else is refused, and the transaction goes on."""
    run(charged(desk(), payload="one"))

    async def other():
        one = desk()
        async with one.transaction() as transaction:
            with pytest.raises(FingerprintMismatchError, match="order-1"):
                async with one.within(block(transaction, payload="two")):
                    raise AssertionError
            await one.write("after")

    run(other())
    assert charges() == ["1", "after"]


def test_inside_of_itself(desk, charges):
    """The key within its own block is refused at once; after the block it is a replay."""

    async def nested():
        one = desk()
        async with one.transaction() as transaction:
            async with one.within(block(transaction)) as claim:
                await one.write("1")
                with pytest.raises(NestedOperationError):
                    async with one.within(block(transaction)):
                        raise AssertionError
                claim.complete(7)
            async with one.within(block(transaction)) as again:
                assert again.replayed
                assert again.result == 7

    run(nested())
    assert charges() == ["1"]


def test_others_inside(desk, charges):
    """Operations nest, and one that fails inside is undone without the one around it."""

    async def nested():
        one = desk()
        async with one.transaction() as transaction:
            async with one.within(block(transaction)):
                await one.write("outer")
                with pytest.raises(ZeroDivisionError):
                    async with one.within(block(transaction, "order-2")):
                        await one.write("inner")
                        raise ZeroDivisionError
        async with one.transaction() as transaction:
            async with one.within(block(transaction)) as claim:
                assert claim.replayed
            async with one.within(block(transaction, "order-2")) as claim:
                assert not claim.replayed
                await one.write("inner again")

    run(nested())
    assert charges() == ["outer", "inner again"]


def test_wrong_word(desk):
    """`with` on an asynchronous connection, and the other way round, is refused and says so."""

    async def wrong():
        one = desk()
        async with one.transaction() as transaction:
            word = "with" if one.is_async else "async with"
            with pytest.raises(ConfigError, match=f"needs `.*, not `{word}`"):
                if one.is_async:
                    with block(transaction):
                        raise AssertionError
                else:
                    async with block(transaction):
                        raise AssertionError

    run(wrong())


def test_aborted(desk):
    """A transaction that an error has aborted is refused, and says what to do."""

    async def aborted():
        one = desk()
        transaction = await one.begin()
        with pytest.raises(Exception, match="nowhere"):
            await one.ask("SELECT 1 FROM nowhere")
        with pytest.raises(ConfigError, match="roll it back"):
            async with one.within(block(transaction)):
                raise AssertionError
        await one.rollback()
        await one.close()

    run(aborted())
    assert run(charged(desk()))[0] is False


def test_nothing_left(desk):
    """The transaction's own bound of waiting for locks is what it was before a claim."""

    async def bounds():
        one = desk()
        seen = []
        async with one.transaction() as transaction:
            await one.ask("SELECT set_config('lock_timeout', '777ms', true)")
            for _ in range(2):
                async with one.within(block(transaction)):
                    seen.append(await one.ask("SELECT current_setting('lock_timeout')"))
                seen.append(await one.ask("SELECT current_setting('lock_timeout')"))
        return seen

    assert run(bounds()) == ["777ms"] * 4
