"""`idempotency_key`: a block that takes effect once for each key."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any

from seawall.idempotency.claim import Claim, current, leave
from seawall.idempotency.conversation import NEW, OWNED, REPLAYED, Run
from seawall.idempotency.decorator import operation_of
from seawall.idempotency.drivers import aclaim, asettle, claim, forgo, let_go, not_recorded, settle
from seawall.idempotency.events import IdempotencyEvent
from seawall.idempotency.keys import fingerprint, stored
from seawall.idempotency.settings import (
    UNSET,
    Errors,
    OnConflict,
    OnError,
    OnLost,
    OnStoreError,
    Seconds,
    of_parameters,
)
from seawall.lazy import overload
from seawall.stores import Store
from seawall.stores.errors import StoreError

if TYPE_CHECKING:
    from typing import Unpack

    from seawall._core import Ticket
    from seawall.idempotency.said import BesideStore, BesideTransaction
    from seawall.idempotency.transaction.block import TransactionBlock

__all__ = ["idempotency_key"]


class BlockRun(Run):
    """One passage through a block."""

    is_block = True


class idempotency_key:  # noqa: N801  reads as what it is: `with idempotency_key(…) as claim:`
    """A block that takes effect once for its key. Also ``async with``.

    A block can't be skipped: ask `Claim.replayed` first. A block that is left normally without
    `Claim.complete` has completed, with the result None.

    Example:
        >>> import seawall
        >>> store = seawall.open_store("memory://")
        >>> def place(body):
        ...     with seawall.idempotency_key("order-123", store=store, payload=body) as claim:
        ...         if claim.replayed:
        ...             return claim.result
        ...         claim.complete({"placed": body["item"]})
        ...     return {"placed": body["item"]}
        >>> place({"item": 7}) == place({"item": 7})
        True

    Args:
        key: What tells one operation from another: text, a number, a UUID, a tuple of such, or
            whatever else has a stable form.
        store: What keeps it; see `open_store`.
        transaction: In place of a store, a connection or session of the caller's, in a transaction
            on PostgreSQL: of psycopg 3, asyncpg or SQLAlchemy 2. Claim, effects and result are
            committed together, or not at all. Beside it, `store` only says which schema and
            namespace are meant.
        name: The operation's name. Keys of other names are other keys.
        payload: What must be the same for two blocks with one key. None: nothing is compared.
        result_type: What a result is rebuilt as: a class or an annotation.

    The others are those of `idempotent`, and mean the same.

    Raises:
        ConfigError: Something about the settings is wrong; names all of it.
        IdempotencyKeyError: The key or the payload has no stable form.

    Entering and leaving it raises what calls of an `idempotent` function raise.
    """

    __slots__ = ("_run", "_token", "_within")

    @overload
    def __init__(
        self,
        key: object,
        /,
        *,
        store: Store,
        name: str = "",
        payload: object = None,
        result_type: Any = None,
        **settings: Unpack[BesideStore],
    ) -> None: ...
    @overload
    def __init__(
        self,
        key: object,
        /,
        *,
        transaction: object,
        store: Store | None = None,
        name: str = "",
        payload: object = None,
        result_type: Any = None,
        **settings: Unpack[BesideTransaction],
    ) -> None: ...
    def __init__(
        self,
        key: object,
        /,
        *,
        store: Store | None = None,
        transaction: object = None,
        name: str = "",
        payload: object = None,
        result_type: Any = None,
        ttl: Seconds | None = None,
        lease: Seconds | None = None,
        max_lease: Seconds | None = None,
        attempts: int | None = None,
        on_conflict: OnConflict | None = None,
        wait: Seconds | None = None,
        on_lost: OnLost | None = None,
        on_error: OnError | None = None,
        at_most_once: bool = False,
        safe_errors: Errors = (),
        store_errors: Errors = (),
        on_store_error: OnStoreError | None = None,
        codec: Any = None,
        max_result: int | None = None,
        default: Any = UNSET,
        on_event: Callable[[IdempotencyEvent], object] | None = None,
    ) -> None:
        settings = of_parameters(locals())
        digest = None if payload is None else fingerprint(payload)
        self._within: TransactionBlock | None = None
        if transaction is not None:
            from seawall.idempotency.transaction import within

            self._within = within(
                transaction,
                stored(key),
                digest,
                name=name,
                store=store,
                settings=settings,
                expected=result_type,
            )
            return
        operation = operation_of(name, store, settings, [], expected=result_type)
        self._run = BlockRun(operation, stored(key), digest, None)
        self._token: Token[Run | Ticket | None] | None = None

    def __enter__(self) -> Claim:
        """Claims the key, or finds that it has completed. Blocks this thread."""
        if self._within is not None:
            return self._within.__enter__()
        run = self._prepare()
        try:
            if not self._recall():
                claim(run)
            return self._begin()
        except BaseException:
            forgo(run, is_answered=True)
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Keeps what came of it."""
        if self._within is not None:
            self._within.__exit__(exc_type, exc, traceback)
        elif self._leave(exc):
            self._end(exc, settle(self._run))

    async def __aenter__(self) -> Claim:
        """As ``with``, for tasks."""
        if self._within is not None:
            return await self._within.__aenter__()
        run = self._prepare()
        try:
            if not self._recall():
                await aclaim(run)
            return self._begin()
        except BaseException:
            forgo(run, is_answered=True)
            raise

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """As ``with``, for tasks."""
        if self._within is not None:
            await self._within.__aexit__(exc_type, exc, traceback)
            return
        if not self._leave(exc):
            return
        if exc is None or isinstance(exc, Exception):
            self._end(exc, await asettle(self._run))
        else:
            # Cancelled or closed: a task that waits now would not be let.
            let_go(self._run)

    def _prepare(self) -> Run:
        run = self._run
        if run.state != NEW or run.claim is not None:
            raise RuntimeError(
                f"the block of key {run.operation.show(run.key)} was entered already: make one "
                "for each time"
            )
        run.outer = current.get()
        return run

    def _recall(self) -> bool:
        run = self._run
        kept = run.operation.local.kept(run.place)
        if kept is None or kept.fingerprint != run.fingerprint:
            # Of another fingerprint: the store says so.
            return False
        run.state, run.data = REPLAYED, (kept.codec, kept.data)
        run.operation.tell("replayed", run.key, local=True, failed=False)
        return True

    def _begin(self) -> Claim:
        run = self._run
        if run.state == REPLAYED and run.has_failed:
            run.answer()
        if run.state == OWNED:
            self._token = current.set(run)
        return Claim(run)

    def _leave(self, exc: BaseException | None) -> bool:
        """Whether the store is to be told how it ended."""
        token, self._token = self._token, None
        run = self._run
        if run.state != OWNED or token is None:
            return False
        leave(token)
        if run.said is None:
            if exc is None:
                run.returned(None)
            else:
                run.raised(exc)
        return True

    def _end(self, exc: BaseException | None, trouble: BaseException | None) -> None:
        run = self._run
        if trouble is None or run.state == REPLAYED:
            return
        if exc is not None:
            exc.add_note(str(trouble))
        elif not isinstance(trouble, StoreError):
            raise trouble
        elif run.operation.settings.on_store_error != "run":
            raise not_recorded(run, None) from trouble
