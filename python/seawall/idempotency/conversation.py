"""What a call says to its store, and what follows from each answer.

`Run` waits for nothing and asks nobody: it says what to ask (an `Op`), hears the answer, and says
for how long to wait before it is asked again. Whoever drives it, a thread or a task, does the
asking and the waiting (`drivers`). So there is one logic for both.
"""

from __future__ import annotations

import time
from copy import deepcopy
from math import inf
from typing import TYPE_CHECKING, Any

from seawall import _core
from seawall.codecs.errors import DecodeError
from seawall.idempotency import pauses
from seawall.idempotency.errors import (
    AttemptsExhaustedError,
    FingerprintMismatchError,
    NestedOperationError,
    OperationInProgressError,
    OutcomeUnknownError,
    ResultUnavailableError,
)
from seawall.idempotency.local import Bell, Ear, Kept, hang_up, is_inside, run_of
from seawall.idempotency.settings import UNSET
from seawall.stores.errors import StoreConnectionError, StoreError, StoreFullError

if TYPE_CHECKING:
    from seawall._core import Op, Reply, Ticket
    from seawall.idempotency.operation import Operation

__all__ = ["NEW", "OVER", "OWNED", "REPLAYED", "UNPROTECTED", "Run"]

#: What a call is to do: to ask; to run its body; to answer what was answered before; to run its
#: body without a claim, for the store is down and the user wants that; nothing any more.
NEW, OWNED, REPLAYED, UNPROTECTED, OVER = range(5)

#: How often a claim is asked again whose connection was lost.
CLAIM_RETRIES = 3


class Run:
    """One call of an operation."""

    #: Whether its body says by `Claim.complete` how it ended.
    is_block = False

    # What most calls never set stands here: a call writes down only what it is about.
    outer: Run | Ticket | None = None
    state = NEW
    fence = 0
    attempt = 0
    claim: Op | None = None
    #: How it ended, once that is said: the word of an event, and the verb.
    ended: str | None = None
    said: Op | None = None
    #: What it ended with, as the store keeps it; None: nothing was kept.
    data: tuple[int, bytes] | None = None
    has_failed = False
    #: Whose end in this process is waited for.
    awaited: Ear | None = None
    #: When its lease is to be renewed next.
    beat_at = inf
    _asked = 0.0
    _bell: Bell | None = None
    _cap = inf
    _is_lost = False
    _lease_end = inf
    _looks = 0
    _retries = 0
    _until: float | None = None

    def __init__(
        self,
        operation: Operation,
        key: bytes,
        fingerprint: bytes | None,
        outer: Run | Ticket | None,
    ) -> None:
        self.operation = operation
        self.key = key
        self.place = operation.prefix + key
        self.fingerprint = fingerprint
        if outer is not None:
            self.outer = outer

    @classmethod
    def adopted(cls, operation: Operation, facts: dict[str, Any]) -> Run:
        """A call that began as a ticket, and of which there is more to say than is usual."""
        run = cls(operation, facts["key"], facts["fingerprint"], facts["outer"])
        claim = run.claim = facts["claim"]
        run._asked = time.monotonic() - facts["age"]
        if facts["attempt"]:
            run._hold(facts["fence"], facts["attempt"])
        if facts["has_returned"]:
            data = run.data = facts["data"]
            run.ended = "opaque" if data is None else "completed"
            run.said = claim.complete(run.fence, *((0, None) if data is None else data))
        return run

    # Before the body.

    def begin(self) -> Op:
        """The first thing to ask."""
        if self.claim is not None:
            # A ticket's, which was asked already.
            return self.again()
        operation = self.operation
        claim = self.claim = operation.claim(self.key, operation.terms, self.fingerprint)
        self._asked = time.monotonic()
        return claim

    def heard(self, reply: Reply) -> float | None:
        """What follows from an answer to a claim: the seconds after which to ask it again.

        None: it is decided, see the state.

        Raises:
            OperationInProgressError: Somebody else runs it, for longer than this call waits.
            FingerprintMismatchError: The key is in use for something else.
            OutcomeUnknownError: An operator has to decide.
            AttemptsExhaustedError: Likewise.
        """
        kind = reply.kind
        if kind == "owned":
            self._own(reply)
            return None
        operation = self.operation
        if kind == "replay":
            self._replay(reply)
            operation.tell("replayed", self.key, local=False, failed=self.has_failed)
            return None
        if kind == "in_progress":
            return self._wait(reply.retry_after or 0.0)
        shown = operation.show(self.key)
        if kind == "mismatch":
            operation.tell("mismatched", self.key)
            raise FingerprintMismatchError(operation.name, shown)
        if kind == "outcome_unknown":
            operation.tell("outcome_unknown", self.key, noticed=reply.noticed)
            raise OutcomeUnknownError(operation.name, shown, reply.at)
        operation.tell("exhausted", self.key, noticed=reply.noticed)
        raise AttemptsExhaustedError(operation.name, shown, reply.attempt or 0)

    def unheard(self, error: StoreError) -> float | None:
        """The store gave no answer to a claim: the seconds after which to ask it again.

        None: it is given up; the state says whether the body is run without a claim.

        A connection that was lost in the middle may have taken the claim along. Asked again it is
        the same claim, and left alone it would keep the key from everybody for a lease.
        """
        if isinstance(error, StoreConnectionError) and self._retries < CLAIM_RETRIES:
            return self._retry()
        self.operation.tell("unrecorded", self.key, error=error)
        if self.operation.settings.on_store_error == "run":
            self.state = UNPROTECTED
        return None

    def _retry(self) -> float:
        self._retries += 1
        return pauses.retry(self._retries - 1)

    def again(self) -> Op:
        """The claim, asked once more after a wait."""
        self._asked = time.monotonic()
        return self._owner

    def _own(self, reply: Reply) -> None:
        operation = self.operation
        self._hold(reply.fence or 0, reply.attempt or 0)
        local = operation.local
        local.running[self.place] = self
        if operation.third < local.rhythm:
            operation.watch()
        if operation.is_heard():
            what = "taken_over" if reply.given == "taken_over" else "owned"
            operation.tell(what, self.key, fence=self.fence, attempt=self.attempt)

    def _hold(self, fence: int, attempt: int) -> None:
        self.fence, self.attempt = fence, attempt
        asked, terms = self._asked, self.operation.settings
        self._cap = asked + terms.max_lease
        self._lease_end = asked + terms.lease
        self.beat_at = asked + self.operation.third
        self.state = OWNED

    def _replay(self, reply: Reply) -> None:
        self.state = REPLAYED
        self.has_failed = bool(reply.failed)
        self.fence = reply.fence or 0
        data, codec = reply.data, reply.codec
        self.data = None if data is None or codec is None else (codec, data)

    def _wait(self, retry_after: float) -> float:
        operation, now = self.operation, pauses.now()
        if self._until is None:
            self._first_conflict(retry_after)
            self._until = now + operation.settings.wait
        left, why = self._until - now, "waited"
        remaining = _core.remaining()
        if remaining is not None and remaining < left:
            left, why = remaining, "deadline"
        if left <= 0:
            shown = operation.show(self.key)
            raise OperationInProgressError(operation.name, retry_after, shown, why)
        here = run_of(operation.local.running.get(self.place))
        bell = None if here is None else here.bell()
        self.awaited = None if bell is None else Ear(bell)
        pause = pauses.look(self._looks) if self.awaited is None else pauses.look_here()
        self._looks += 1
        return min(pause, left, retry_after + 0.001)

    def _first_conflict(self, retry_after: float) -> None:
        operation = self.operation
        shown = operation.show(self.key)
        if is_inside(self):
            raise NestedOperationError(operation.name, None, shown, "nested")
        waits = operation.settings.on_conflict == "wait"
        operation.tell("conflict", self.key, waits=waits, retry_after=retry_after)
        if not waits:
            raise OperationInProgressError(operation.name, retry_after, shown, "refused")

    def bell(self) -> Bell | None:
        """What rings when this run is over; None: it is."""
        bell = self._bell
        if bell is None:
            # Two who make one at once: the first one's is what both get.
            bell = hang_up(self)
        # Read after the bell was hung up: whoever ends the run reads them the other way round.
        return None if self.state == OVER else bell

    def answer(self) -> Any:
        """What is replayed: returned, or raised.

        Raises:
            ResultUnavailableError: It could not be kept, and there is no default.
            DecodeError: What is kept can't be read here.
        """
        operation = self.operation
        if self.data is None:
            default = operation.settings.default
            if default is UNSET or self.has_failed:
                raise ResultUnavailableError(operation.name, operation.show(self.key))
            # No two callers get one object that can be changed.
            return deepcopy(default)
        try:
            if not self.has_failed:
                return operation.decode(*self.data)
            error = operation.decode_error(*self.data)
        except DecodeError as trouble:
            trouble.add_note(f"of operation {operation.name!r}, key {operation.show(self.key)}")
            raise
        raise error

    # While it runs. Called by the thread of the heartbeat.

    def extension(self) -> Op:
        """Asks for another lease."""
        return self._owner.extend(self.fence, self.operation.settings.lease)

    def renewed(self, reply: Reply, asked: float) -> None:
        """What the store said to that."""
        kind = reply.kind
        if kind == "extended":
            self._lease_end = min(asked + self.operation.settings.lease, self._cap)
        elif kind == "at_cap":
            self.beat_at = inf
        elif self.state == OWNED:
            self._is_lost = True
            self.beat_at = inf

    def renewal_failed(self, now: float) -> None:
        """The store did not say anything: it is asked again soon."""
        self.beat_at = now + min(self.operation.third / 4, pauses.LAST_RETRY)

    def is_lost(self) -> bool:
        """Whether somebody else may have it: the store says so, or the lease was not renewed."""
        return self._is_lost or (self.state == OWNED and time.monotonic() >= self._lease_end)

    def is_held(self) -> bool:
        """Whether its body runs, and nobody else may have it."""
        return self.state == OWNED and not self.is_lost()

    # After the body.

    def returned(self, value: object) -> Op:
        """It took effect: what to tell the store."""
        # Said before it is written down: what interrupts that does not undo that it took effect.
        said = self._say("opaque", self._owner.complete(self.fence, 0, None))
        encoded = self.data = self.operation.encode(value)
        if encoded is None:
            return said
        return self._say("completed", self._owner.complete(self.fence, *encoded))

    def raised(self, error: BaseException) -> Op:
        """It raised: what to tell the store."""
        settings = self.operation.settings
        if isinstance(error, settings.safe_errors):
            return self.released()
        chosen = isinstance(error, settings.store_errors)
        if chosen or (settings.on_error == "store" and isinstance(error, Exception)):
            return self.failed(error)
        if settings.on_error == "quarantine":
            return self.quarantined()
        if settings.on_error == "store" and settings.on_lost == "quarantine":
            # Cancelled or ended: no answer that could be kept, and it may run only once.
            return self.quarantined()
        return self.released()

    def released(self) -> Op:
        """It may be run again."""
        return self._say("released", self._owner.release(self.fence))

    def quarantined(self) -> Op:
        """Whether it took effect is not known."""
        return self._say("quarantined", self._owner.quarantine(self.fence))

    def failed(self, error: BaseException) -> Op:
        """It ended with an error that later calls are to get."""
        # As of a result: what interrupts its writing does not undo that it is the answer.
        self._say("failed", self._owner.fail(self.fence, 0, None))
        return self._say(
            "failed", self._owner.fail(self.fence, *self.operation.encode_error(error))
        )

    @property
    def _owner(self) -> Op:
        assert self.claim is not None  # noqa: S101  it was asked for
        return self.claim

    def _say(self, ended: str, said: Op) -> Op:
        self.ended, self.said = ended, said
        return said

    def settled(self, reply: Reply) -> bool:
        """What the store said to how it ended: whether that is what it keeps now.

        If not, and somebody else has ended it meanwhile, that end is to be replayed; the state
        says so.
        """
        operation, ended = self.operation, self.ended or ""
        if reply.kind == "done":
            if ended == "completed" and self.data is not None:
                codec, data = self.data
                left = self._asked + operation.settings.ttl - time.monotonic()
                operation.local.keep(self.place, Kept(self.fingerprint, codec, data, left))
            self.over()
            if operation.is_heard():
                operation.tell(ended, self.key, fence=self.fence)
            return True
        at_end = not self._is_lost
        self.over()
        operation.tell("lease_lost", self.key, fence=self.fence, at_end=at_end)
        if reply.kind == "ended_meanwhile":
            fence = self.fence
            self._replay(reply)
            self.fence = fence
        return False

    def unsettled(self, error: StoreError, asked: float) -> float | None:
        """The store gave no answer to how it ended: the seconds after which to tell it again.

        None: it is given up. The lease will run out.
        """
        now = time.monotonic()
        if isinstance(error, StoreFullError) and self.ended == "completed":
            # There is no room for the result. There may be for the fact, and that is what counts.
            self.data = None
            self._say("opaque", self._owner.complete(self.fence, 0, None))
            return 0.0
        if isinstance(error, pauses.PASSING) and now - asked < self.operation.store.timeout:
            return self._retry()
        self.over()
        self.operation.tell("unrecorded", self.key, error=error)
        return None

    def told(self) -> Op:
        """What the store is to be told."""
        assert self.said is not None  # noqa: S101  how it ended was said
        return self.said

    def over(self) -> None:
        """Nobody waits for it any more, and its lease is not renewed."""
        self.state = OVER
        local = self.operation.local
        other = local.running.pop(self.place, None)
        if other is not self and other is not None:
            # It was given to another call here: that one still runs.
            local.running.setdefault(self.place, other)
            self.operation.watch()
        bell = self._bell
        if bell is not None:
            bell.ring()
