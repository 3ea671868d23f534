"""The block in which an operation takes effect once, in a transaction of the user's."""

from __future__ import annotations

from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any

from seawall.errors import ConfigError
from seawall.idempotency.claim import Claim, current
from seawall.idempotency.conversation import NEW, OWNED, Run
from seawall.idempotency.transaction import steps
from seawall.idempotency.transaction.links import Link, link
from seawall.idempotency.transaction.operation import Passage

if TYPE_CHECKING:
    from seawall._core import Ticket

__all__ = ["TransactionBlock"]


class TransactionBlock:
    """An operation in the caller's own transaction: ``with`` or ``async with``, as its connection.

    On entry it is claimed under a savepoint. When the block is left, its result is written beside
    what the block wrote, and both are committed or rolled back with the transaction, which stays
    the caller's. An error that leaves the block undoes what the block wrote, back to the savepoint,
    and goes on.
    """

    __slots__ = ("_link", "_passage", "_savepoint", "_token", "_transaction")

    def __init__(self, transaction: object, passage: Passage, asked: Link | None = None) -> None:
        """Made for one passage.

        Raises:
            ConfigError: It is no connection or session that is known, or in no transaction.
        """
        self._transaction = transaction
        self._passage = passage
        self._link: Link = link(transaction) if asked is None else asked
        self._savepoint: Any = None
        self._token: Token[Run | Ticket | None] | None = None

    def __enter__(self) -> Claim:
        """Claims the operation; waits for another transaction that is at it.

        Raises:
            OperationInProgressError: That one went on for longer than `wait` or the deadline.
            FingerprintMismatchError: The key stands for something else.
            StoreError: The table is missing, or its row is damaged or of a newer version.
            ConfigError: The connection is in no transaction, or its transaction was aborted.
        """
        self._mind("with")
        return self._begun(_now(self._entered()))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Completes the operation, or undoes what the block wrote."""
        _now(self._left(exc))

    async def __aenter__(self) -> Claim:
        """As ``with``, for tasks."""
        self._mind("async with")
        return self._begun(await _later(self._entered()))

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """As ``with``, for tasks."""
        await _later(self._left(exc))

    def _mind(self, word: str) -> None:
        right = "async with" if self._link.is_async else "with"
        if word != right:
            cls = type(self._transaction)
            shown = f"<{cls.__module__}.{cls.__qualname__}>"
            rule = f"needs `{right}` (and an `async def` to be put on), not `{word}`"
            if right == "with":
                rule = f"needs `{right}` (and a plain function to be put on), not `{word}`"
            raise ConfigError("idempotency", [("transaction", shown, rule, None)])
        if self._passage.state != NEW:
            raise RuntimeError(
                f"the block of key {self._passage.shown} was entered already: make one for each "
                "time"
            )

    def _entered(self) -> steps.Steps:
        return steps.claim(self._link, self._transaction, self._passage)

    def _begun(self, savepoint: Any) -> Claim:
        passage = self._passage
        self._savepoint = savepoint
        passage.outer = current.get()
        if passage.state == OWNED:
            self._token = current.set(passage)
        return Claim(passage)

    def _left(self, error: BaseException | None) -> steps.Steps:
        passage = self._passage
        if passage.state != OWNED:
            return
        token, self._token = self._token, None
        if token is not None:
            try:
                current.reset(token)
            except ValueError:
                # Left in another context than it was entered in, as a fixture's block may be.
                current.set(passage.outer)
        if error is None:
            if passage.said is None:
                passage.returned(None)
            yield from steps.complete(self._link, self._savepoint, passage)
        else:
            yield from steps.undo(self._link, self._savepoint)
            passage.left("released")


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
