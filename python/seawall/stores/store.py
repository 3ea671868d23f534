"""A store: what the operations of many processes are kept in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

from seawall import _core, blame, lazy, waiting
from seawall._core import Address, Op, Reply
from seawall.errors import ConfigError
from seawall.stores import walks
from seawall.stores.errors import NotResolvableError, StoreWarning
from seawall.stores.record import STATES, Record, RecordState, StoreCounts, StoreStats
from seawall.waiting import hosts
from seawall.waiting.answers import answered, in_greenlet, rest_in_greenlet

if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["Store"]

_R = TypeVar("_R")
#: A conversation with a store: it says what to ask next, hears the answer, and ends with a result.
_Talk = Generator[Op, Reply, _R]


class Store:
    """A store of records of operations, opened by `seawall.open_store`.

    It can be used by all threads and tasks at once, and goes on after a fork. Each method that asks
    it something has a twin for tasks, with an ``a`` before its name, which never blocks the loop.
    """

    __slots__ = ("__weakref__", "_is_instant", "_native", "_timeout", "namespace")

    namespace: str
    """Whose records these are."""

    def __init__(self, native: _core.Store, namespace: str, timeout: float) -> None:
        """Use `open_store`."""
        self._native = native
        self._timeout = timeout
        self._is_instant = native.is_instant
        self.namespace = namespace

    @property
    def name(self) -> str:
        """Its URL, without passwords."""
        return self._native.name

    @property
    def timeout(self) -> float:
        """For how many seconds an answer is waited for."""
        return self._timeout

    @property
    def counted(self) -> StoreCounts:
        """What this process was answered since it was opened here."""
        return StoreCounts(**self._native.counted())

    # What those ask who build on stores.

    def address(self, scope: str, key: bytes) -> Address:
        """Where the record of an operation is, of whose key these are the bytes.

        Raises:
            ConfigError: Something is too long, or the key empty.
        """
        return Address(self.namespace, scope, key)

    def scope(self, name: str) -> _core.Scope:
        """Where the records of an operation are: the quicker way to many claims of one.

        Raises:
            ConfigError: The name is too long.
        """
        return _core.Scope(self.namespace, name)

    def call(self, op: Op, patience: float | None = None) -> Reply:
        """Asks, and blocks this thread until there is an answer. Ctrl-C ends that.

        Under gevent only the greenlet waits, as long as its monkey patches are in place.

        Args:
            op: What is asked. It may be asked again: a claim whose answer was lost is the same
                claim then.
            patience: For how many seconds; None: the store's `timeout`.

        Raises:
            StoreError: There is none. A claim that is given later than that is given back.

        Warns:
            BlockingWaitWarning: An event loop stands still meanwhile.
            StoreWarning: Its server may forget what it keeps. Told when it was first reached.
        """
        if self._is_instant:
            return self._native.call(op, 1.0)
        if patience is None:
            patience = self._timeout
        if hosts.running_here() is not None:
            waiting.warn_of_loop(f"store {self.name}")
        if in_greenlet():
            asked = self._native.submit(op)
            reply = asked if isinstance(asked, Reply) else rest_in_greenlet(asked, patience)
        else:
            reply = self._native.call(op, patience)
        return self._noticed(op, reply)

    async def answer(self, op: Op, patience: float | None = None) -> Reply:
        """As `call`, for tasks of asyncio and trio: the loop goes on.

        Cancelled, it is not waited for any more: a claim that is given all the same is given back;
        whether anything else was done is not known.

        Raises:
            StoreError: There is no answer.
            RuntimeError: Neither asyncio nor trio runs this code.
        """
        asked = self._native.submit(op)
        if isinstance(asked, Reply):
            return asked
        reply = await answered(asked, self._timeout if patience is None else patience)
        return self._noticed(op, reply)

    # What operators ask.

    def get(self, key: object, *, scope: str = "") -> Record | None:
        """What is kept of an operation; None: nothing, or it has expired.

        Args:
            key: The operation's, as its ``key=`` gave it; or a `Record` of it.
            scope: The operation's name.

        Raises:
            IdempotencyKeyError: Nothing stable can be made of the key.
            StoreError: There is no answer.
        """
        return self._ask(walks.get(self._find(key, scope)))

    async def aget(self, key: object, *, scope: str = "") -> Record | None:
        """As `get`, for tasks."""
        return await self._answer(walks.get(self._find(key, scope)))

    def release(self, key: object, *, scope: str = "") -> None:
        """Decides that an operation whose outcome is not known may be run again.

        To be said by who has made sure that it had no effect, or that a second one does no harm.

        Raises:
            NotResolvableError: It is not quarantined, dead, or lost by its owner.
            StoreError: There is no answer.
        """
        address = self._find(key, scope)
        self._decided(address, self._ask(walks.once(Op.reopen(address))))

    async def arelease(self, key: object, *, scope: str = "") -> None:
        """As `release`, for tasks."""
        address = self._find(key, scope)
        self._decided(address, await self._answer(walks.once(Op.reopen(address))))

    def resolve(
        self,
        key: object,
        result: object = None,
        *,
        scope: str = "",
        codec: t.CodecChoice = None,
    ) -> None:
        """Decides that an operation whose outcome is not known took effect, with this result.

        Its callers are told so from now on, for as long as its ``ttl`` says.

        Args:
            key: As for `get`.
            result: What it would have returned.
            scope: The operation's name.
            codec: What writes the result down: that of the operation.

        Raises:
            NotResolvableError: It is not quarantined, dead, or lost by its owner.
            EncodeError: The result can't be written down.
            StoreError: There is no answer.
        """
        address = self._find(key, scope)
        self._decided(address, self._ask(walks.resolve(address, result, codec)))

    async def aresolve(
        self,
        key: object,
        result: object = None,
        *,
        scope: str = "",
        codec: t.CodecChoice = None,
    ) -> None:
        """As `resolve`, for tasks."""
        address = self._find(key, scope)
        self._decided(address, await self._answer(walks.resolve(address, result, codec)))

    def gc(self, *, scope: str | None = None) -> int:
        """Removes what has expired; how many records.

        They are nothing to anybody already: this gives their room back. A stretch at a time, so
        that others wait for no longer than that takes.

        Raises:
            StoreError: There is no answer. What was removed is.
        """
        return self._ask(walks.sweep(self.namespace, scope))

    async def agc(self, *, scope: str | None = None) -> int:
        """As `gc`, for tasks."""
        return await self._answer(walks.sweep(self.namespace, scope))

    def stats(self, *, scope: str | None = None) -> StoreStats:
        """How many records there are in each state, in all scopes or in one.

        All are looked at, a stretch at a time: it is no snapshot of one moment.

        Raises:
            StoreError: There is no answer.
        """
        return self._ask(walks.tally(self.namespace, scope))

    async def astats(self, *, scope: str | None = None) -> StoreStats:
        """As `stats`, for tasks."""
        return await self._answer(walks.tally(self.namespace, scope))

    def list(
        self, *, scope: str | None = None, state: RecordState | None = None
    ) -> Iterator[Record]:
        """The records, in the order of their scopes and keys.

        They are fetched a stretch at a time while they are taken: what comes or goes meanwhile may
        or may not be among them.

        Args:
            scope: Of this operation only.
            state: In this state only.

        Raises:
            ConfigError: There is no such state.
            StoreError: There is no answer.
        """
        self._check_state(state)
        after: Address | None = None
        while True:
            op = Op.list(self.namespace, scope, state, after)
            records, after = walks.records(self.call(op))
            yield from records
            if after is None:
                return

    async def alist(
        self, *, scope: str | None = None, state: RecordState | None = None
    ) -> AsyncIterator[Record]:
        """As `list`, for tasks: ``async for``."""
        self._check_state(state)
        after: Address | None = None
        while True:
            op = Op.list(self.namespace, scope, state, after)
            records, after = walks.records(await self.answer(op))
            for record in records:
                yield record
            if after is None:
                return

    def close(self) -> None:
        """Closes what it has open. Who asks it from now on gets a `StoreClosedError`.

        What it was asked before is still answered. Nothing is lost if nobody closes it.
        """
        self._native.close()

    def __enter__(self) -> Self:
        """Itself: it is closed at the end of the block."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it."""
        self.close()

    async def __aenter__(self) -> Self:
        """Itself: it is closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it."""
        self.close()

    def __repr__(self) -> str:
        """Its URL, without passwords, and its namespace."""
        return f"<Store {self.name} namespace={self.namespace!r}>"

    def __reduce__(self) -> NoReturn:
        """Refused: its URL, with which it could be opened elsewhere, may hold a password."""
        raise TypeError(
            f"{self!r} can't be pickled: give the other process its URL, and open it there with"
            " seawall.open_store"
        )

    def _noticed(self, op: Op, reply: Reply) -> Reply:
        """Warns of what was found at the server when it was first reached."""
        for notice in self._native.notices():
            try:
                blame.warn(f"store {self.name}: {notice}", StoreWarning)
            except StoreWarning:
                # It is an error for who asks: nobody will know of the claim.
                if reply.kind == "owned":
                    asked = self._native.submit(op.release(reply.fence or 0))
                    del asked
                raise
        return reply

    def _find(self, key: object, scope: str) -> Address:
        if isinstance(key, Address):
            return key
        if isinstance(key, Record):
            return Address(key.namespace, key.scope, key.key.encode("utf-8", "surrogateescape"))
        return Address(self.namespace, scope, _core.canonical_key(key))

    def _decided(self, address: Address, reply: Reply) -> None:
        if reply.kind == "undecidable":
            raise NotResolvableError(self.name, repr(address), reply.state)

    def _check_state(self, state: str | None) -> None:
        if state is not None and state not in STATES:
            rule = f"must be one of {', '.join(STATES)}"
            raise ConfigError(f"list of {self!r}", [("state", repr(state), rule, None)])

    def _ask(self, talk: _Talk[_R]) -> _R:
        try:
            op = next(talk)
            while True:
                op = talk.send(self.call(op))
        except StopIteration as end:
            result: _R = end.value
            return result

    async def _answer(self, talk: _Talk[_R]) -> _R:
        try:
            op = next(talk)
            while True:
                op = talk.send(await self.answer(op))
        except StopIteration as end:
            result: _R = end.value
            return result
