"""What a body knows of its claim, and how a block says what came of it."""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar, Token
from hashlib import blake2b
from typing import Any

from seawall._core import Ticket
from seawall.idempotency.conversation import OVER, OWNED, REPLAYED, UNPROTECTED, Run
from seawall.idempotency.local import run_of

__all__ = ["Claim", "current", "current_claim", "leave"]


class Claim:
    """The right to run an operation, or the end of an earlier run.

    It is given to the body of a block; the body of a function finds its own by `current_claim`. It
    can't stop a body whose lease ran out: check `lost` before each effect, and pass `fence` on to
    whatever refuses what is older than what it has seen.
    """

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        """Given by `idempotency_key` and `current_claim`."""
        self._run = run

    @property
    def name(self) -> str:
        """The operation's name."""
        return self._run.operation.name

    @property
    def key(self) -> str:
        """The key, as the store shows it."""
        return self._run.key.decode("utf-8", "backslashreplace")

    @property
    def replayed(self) -> bool:
        """Whether the operation has completed before: then there is nothing to do."""
        return self._run.state == REPLAYED

    @property
    def protected(self) -> bool:
        """Whether the store knows of this run. Not if it was down, with on_store_error="run"."""
        return self._run.claim is not None and self._run.state != UNPROTECTED

    @property
    def fence(self) -> int:
        """The fencing token: of two runs with a key, the later has the higher one.

        Of a replayed operation, that of the run that completed it. 0: it is not `protected`, or
        this process remembered the result.
        """
        return self._run.fence

    @property
    def attempt(self) -> int:
        """How often the operation was begun, this time included; 0: it is not run."""
        return self._run.attempt

    @property
    def lost(self) -> bool:
        """Whether somebody else may have the operation by now.

        The store said so, or the lease could not be renewed in time. The body is not stopped.
        """
        return self._run.is_lost()

    @property
    def result(self) -> Any:
        """What a replayed operation returned; each time its own object, unless it can't change.

        Raises:
            ResultUnavailableError: It could not be kept, and there is no default.
            RuntimeError: It is not replayed.
        """
        if self._run.state != REPLAYED:
            raise RuntimeError(f"{self._who()} is not replayed: there is no result yet")
        return self._run.answer()

    def derived_key(self, step: str) -> str:
        """A key for one step of the body: the same for each run of this operation with this key.

        To be passed on to services with idempotency keys of their own. It does not tell the key
        that it is made from.

        Args:
            step: What tells the steps of a body apart.
        """
        digest = blake2b(digest_size=16, person=b"seawall-step")
        digest.update(self._run.place)
        digest.update(b"\0" + len(self._run.place).to_bytes(4, "big"))
        digest.update(step.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def complete(self, value: Any = None) -> None:
        """Says that it took effect, with this result. It is written down now, kept at the end.

        What the body raises afterwards does not change that.

        Raises:
            RuntimeError: How it ended was said already, or it is not this call that runs it.
        """
        if self._may_say():
            self._run.returned(value)

    def fail(self, error: BaseException) -> None:
        """Says that it ended with an error, which is raised for all later calls.

        Raises:
            RuntimeError: As for `complete`.
        """
        if self._may_say():
            self._run.failed(error)

    def release(self) -> None:
        """Says that it had no effect, and may be run again.

        Raises:
            RuntimeError: As for `complete`.
        """
        if self._may_say():
            self._run.released()

    def __repr__(self) -> str:
        """Which operation, and what it is to do."""
        state = ("asking", "owned", "replayed", "unprotected", "over")[self._run.state]
        return f"<Claim of {self._run.operation.name!r} with key {self.key!r}: {state}>"

    def _who(self) -> str:
        operation = self._run.operation
        return f"operation {operation.name!r} with key {operation.show(self._run.key)}"

    def _may_say(self) -> bool:
        if self._run.state == REPLAYED:
            raise RuntimeError(
                f"{self._who()} has completed before: see claim.replayed before its effect is "
                "brought about once more"
            )
        if self._run.state == OVER:
            raise RuntimeError(f"{self._who()} is over already")
        if not self._run.is_block and self._run.state == OWNED:
            raise RuntimeError(
                f"{self._who()} is a function: how it ended is what it returns or raises"
            )
        if self._run.said is not None:
            raise RuntimeError(f"how {self._who()} ended was said already: {self._run.ended}")
        return self._run.state == OWNED


#: The run whose body this context is in.
current: ContextVar[Run | Ticket | None] = ContextVar("seawall_idempotency_run", default=None)


def leave(token: Token[Run | Ticket | None]) -> None:
    """The body that was entered with this token is over.

    A coroutine that is closed by the garbage collection, and a block of a fixture, may be left in
    another context than they were entered in. Nothing is to be undone there.
    """
    with suppress(ValueError):
        current.reset(token)


def current_claim() -> Claim | None:
    """The claim whose body runs here; None: there is none.

    Of nested operations, the innermost. How a function is ended is said by what it returns or
    raises: `Claim.complete` and its kin are for blocks.
    """
    run = run_of(current.get())
    return None if run is None or run.state == OVER else Claim(run)
