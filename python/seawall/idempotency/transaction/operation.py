"""An operation that takes effect in transactions of the user's, and one passage through it."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import parse_qs, urlsplit

from seawall.idempotency.conversation import OVER, OWNED, REPLAYED, Run
from seawall.idempotency.operation import IdempotencySnapshot, Operation
from seawall.stores.errors import StoreDamagedError, StoreError, StoreNewerError

if TYPE_CHECKING:
    from seawall._core import Ticket
    from seawall.idempotency.settings import IdempotencySettings
    from seawall.idempotency.values import Values
    from seawall.stores import Store

__all__ = ["CallPassage", "Passage", "TransactionOperation"]

_SCHEMA: Final = "seawall"
_NAMESPACE: Final = "default"


class TransactionOperation(Operation):
    """What the blocks or calls of one operation share.

    The user's connection is asked, and no store. A store only says in which schema the table is,
    and whose operations these are.
    """

    __slots__ = ("_passing", "schema")

    def __init__(
        self, name: str, store: Store | None, settings: IdempotencySettings, values: Values
    ) -> None:
        """Of a store that is on PostgreSQL, or of its defaults."""
        self.name = name
        self.settings = settings
        self.values = values
        self.encode, self.decode = values.encode, values.decode
        #: That of no store: nothing that happens in one of these is an operation of a store's.
        self.local: Any = None
        namespace, scope = (_NAMESPACE if store is None else store.namespace), name
        #: What no other namespace and name have: each length goes before.
        self.prefix = b"".join(
            bytes([len(said)]) + said for said in (namespace.encode(), scope.encode())
        )
        self.schema = _SCHEMA
        if store is not None:
            options = parse_qs(urlsplit(store.name).query)
            self.schema = options.get("schema", [_SCHEMA])[-1]
        self._numbers = count(1)
        self._passing: set[int] = set()

    @property
    def place(self) -> str:
        """Where its rows are, for errors."""
        return f"of the transaction (table {self.schema}.transactions)"

    def began(self, passage: Passage) -> None:
        """One is inside."""
        self._passing.add(id(passage))

    def ended(self, passage: Passage) -> None:
        """It is not any more."""
        self._passing.discard(id(passage))

    def snapshot(self) -> IdempotencySnapshot:
        """The operation at this moment, as this process sees it."""
        return IdempotencySnapshot(
            name=self.name,
            kind="idempotency",
            settings=self.settings,
            store=self.place,
            in_flight=len(self._passing),
        )

    def __repr__(self) -> str:
        """Its name and its table."""
        return f"<idempotent operation {self.name!r} in table {self.schema}.transactions>"


class Passage(Run):
    """One block or call. There is no lease and no fence: see `seawall.idempotency.transaction`."""

    __slots__ = ("within",)
    is_block = True
    operation: TransactionOperation

    def __init__(
        self,
        operation: TransactionOperation,
        key: bytes,
        fingerprint: bytes | None,
        outer: Run | Ticket | None = None,
    ) -> None:
        """Of one key."""
        super().__init__(operation, key, fingerprint, outer)
        self.within = operation

    # Its claim is the row that nobody else sees.

    def owned(self) -> None:
        """Its body is to run."""
        self.state, self.attempt = OWNED, 1
        self.claim = _ROW
        self.within.began(self)
        self.within.tell("owned", self.key, fence=0, attempt=1)

    def replays(self, data: tuple[int, bytes] | None) -> None:
        """It took effect before."""
        self.state, self.data, self.claim = REPLAYED, data, _ROW
        self.within.tell("replayed", self.key, local=False, failed=False)

    def left(self, word: str) -> None:
        """It is over: ``completed``, ``opaque`` or ``released``."""
        self.state = OVER
        self.within.ended(self)
        self.within.tell(word, self.key, fence=0)

    def is_lost(self) -> bool:
        """Nobody else can have it while its transaction goes on."""
        return False

    def returned(self, value: object) -> Any:
        """It came to this. It is written as it is now: what becomes of it changes nothing."""
        self.data = self.within.encode(value)
        self.ended = "opaque" if self.data is None else "completed"
        self.said = _ROW
        return self.said

    def failed(self, error: BaseException) -> NoReturn:  # noqa: ARG002  a run's is given one
        """Errors are not kept: what was done before them is undone."""
        raise RuntimeError(_NO_VERB.format("kept as its end"))

    def released(self) -> NoReturn:
        """Likewise."""
        raise RuntimeError(_NO_VERB.format("released"))

    # Its row.

    @property
    def shown(self) -> str:
        """The key, for errors."""
        return self.within.show(self.key)

    def checksum(
        self, state: int, codec: int | None, result: bytes | None, fingerprint: bytes | None
    ) -> bytes:
        """What a row must say of what it says. A row that was moved or changed says another."""
        # The lengths go before, so that no part can make up for another.
        parts = (self.place, fingerprint, b"" if codec is None else b"%d" % codec, result)
        digest = sha256(b"seawall transaction %d" % state)
        for part in parts:
            digest.update(b"-" if part is None else b"%d:%b" % (len(part), part))
        return digest.digest()

    def damaged(self, what: str) -> StoreError:
        """The error of a row that can't be."""
        reason = f"the row of {self.shown} of {self.within.name!r} is damaged: {what}"
        return StoreDamagedError(self.within.place, reason)

    def newer(self, layout: int) -> StoreError:
        """The error of a row that is not understood."""
        reason = f"the row of {self.shown} of {self.within.name!r} has layout {layout}"
        return StoreNewerError(self.within.place, reason)


class CallPassage(Passage):
    """One call of a function: how it ended is what it returns or raises."""

    __slots__ = ()
    is_block = False


#: In place of what a store would be told.
_ROW: Any = object()
_NO_VERB = (
    "an operation in a transaction can't be {}: raise an error out of it, which undoes what it "
    "did, or roll the transaction back"
)
