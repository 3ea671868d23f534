"""The block in which an operation happens once, in a transaction of the user's."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal

from seawall.errors import ConfigError
from seawall.idempotency.transaction import steps
from seawall.idempotency.transaction.links import Link, link
from seawall.idempotency.transaction.operation import Operation
from seawall.idempotency.transaction.statements import OPAQUE

__all__ = ["TransactionBlock", "TransactionClaim"]


class TransactionClaim:
    """What a block in the caller's transaction was given: the operation to run, or its result.

    There is no fence and no lease: nobody else can be at it while the transaction goes on.
    """

    __slots__ = ("_kept", "_operation", "_result")

    def __init__(self, operation: Operation, kept: steps.Kept | None) -> None:
        """Made by `seawall.idempotency_key`."""
        self._operation = operation
        self._kept = kept
        self._result: tuple[int, bytes] | None = operation.encode(None) if kept is None else None

    @property
    def key(self) -> str:
        """The operation's key, as the store shows it."""
        return self._operation.key

    @property
    def replayed(self) -> bool:
        """Whether the operation took effect before: `result` is what it came to."""
        return self._kept is not None

    @property
    def result(self) -> Any:
        """What the operation came to, read anew each time.

        Raises:
            ResultUnavailableError: It could not be kept, and there is no ``default``.
            RuntimeError: It has not come to anything yet: the body is to run.
        """
        if self._kept is None:
            raise RuntimeError(
                "there is no result to give again: this block runs the operation (see "
                "claim.replayed), and hands its result to claim.complete"
            )
        if self._kept.state == OPAQUE or self._kept.codec is None or self._kept.result is None:
            return self._operation.default()
        return self._operation.decode(self._kept.codec, self._kept.result)

    def complete(self, result: Any = None) -> None:
        """Says what the operation came to. It is written down when the block is left.

        It is written as it is now: what becomes of it afterwards changes nothing. One that can't be
        kept, because it can't be written or is too large, is replaced: see `result`.

        Raises:
            RuntimeError: The operation was not run here, but before.
        """
        if self._kept is not None:
            raise RuntimeError(
                "the operation took effect before, and has its result: return claim.result where "
                "claim.replayed is true"
            )
        self._result = self._operation.encode(result)


class TransactionBlock:
    """An operation in the caller's own transaction: ``with`` or ``async with``, as its connection.

    On entry it is claimed under a savepoint. When the block is left, its result is written beside
    what the block wrote, and both are committed or rolled back with the transaction, which stays
    the caller's. An error that leaves the block undoes what the block wrote, back to the savepoint,
    and goes on.
    """

    __slots__ = ("_claim", "_link", "_operation", "_savepoint", "_transaction")

    def __init__(self, transaction: object, operation: Operation) -> None:
        """Made by `seawall.idempotency_key`."""
        self._transaction = transaction
        self._operation = operation
        self._link: Link = link(transaction)
        self._claim: TransactionClaim | None = None
        self._savepoint: Any = None

    def __enter__(self) -> TransactionClaim:
        """Claims the operation; waits for another transaction that is at it.

        Raises:
            OperationInProgressError: That one went on for longer than `wait` or the deadline.
            FingerprintMismatchError: The key stands for something else.
            OutcomeUnknownError: A transaction was committed in the middle of the operation.
            StoreError: The table is missing, or its row is damaged or of a newer version.
            ConfigError: The connection is in no transaction, or its transaction was aborted.
        """
        self._mind("with")
        return self._begun(_now(self._entered()))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        """Completes the operation, or undoes what the block wrote."""
        _now(self._left(error))
        return False

    async def __aenter__(self) -> TransactionClaim:
        """As `__enter__`."""
        self._mind("async with")
        return self._begun(await _later(self._entered()))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        """As `__exit__`."""
        await _later(self._left(error))
        return False

    def _mind(self, word: str) -> None:
        right = "async with" if self._link.is_async else "with"
        if word != right:
            cls = type(self._transaction)
            shown = f"<{cls.__module__}.{cls.__qualname__}>"
            raise ConfigError(
                "idempotency", [("transaction", shown, f"needs `{right}`, not `{word}`", None)]
            )
        if self._claim is not None:
            raise RuntimeError("this block was entered already: make one for each operation")

    def _entered(self) -> steps.Steps:
        return steps.claim(self._link, self._transaction, self._operation)

    def _begun(self, got: Any) -> TransactionClaim:
        kept = got if isinstance(got, steps.Kept) else None
        self._savepoint = None if kept is not None else got
        self._claim = TransactionClaim(self._operation, kept)
        return self._claim

    def _left(self, error: BaseException | None) -> steps.Steps:
        claim = self._claim
        if claim is None or claim.replayed:
            return
        if error is not None:
            yield from steps.undo(self._link, self._savepoint)
        else:
            result = claim._result
            yield from steps.complete(self._link, self._savepoint, self._operation, result)


def _now(going: steps.Steps) -> Any:
    """Runs steps whose answers are there when they are asked for."""
    answer: Any = None
    try:
        while True:
            answer = going.send(answer)
    except StopIteration as end:
        return end.value


async def _later(going: steps.Steps) -> Any:
    """Runs steps whose answers are awaited."""
    answer: Any = None
    error: BaseException | None = None
    try:
        while True:
            asked = going.send(answer) if error is None else going.throw(error)
            answer = error = None
            try:
                answer = await asked
            except BaseException as raised:  # noqa: BLE001 - the steps decide what it means
                error = raised
    except StopIteration as end:
        return end.value
