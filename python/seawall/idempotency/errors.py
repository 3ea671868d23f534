"""What becomes of calls that were not run, or whose end could not be kept.

Each names the operation and its key. None shows arguments or results.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from seawall.errors import Rejected, SeawallError

__all__ = [
    "AttemptsExhaustedError",
    "FingerprintMismatchError",
    "IdempotencyError",
    "IdempotencyKeyError",
    "LeaseLostError",
    "NestedOperationError",
    "OperationInProgressError",
    "OutcomeNotRecordedError",
    "OutcomeUnknownError",
    "ResultUnavailableError",
]

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class OperationInProgressError(Rejected):
    """Somebody else runs the operation with this key; this call did not run it.

    It is a `Rejected`: nothing was done, and the same call may be made again.
    """

    policy = "idempotency"

    @property
    def key(self) -> str:
        """The key, as the store shows it."""
        return str(self.args[2]) if len(self.args) > 2 else "?"

    @property
    def why(self) -> str:
        """``refused``: at once, as `on_conflict` says. ``waited``: it waited for long enough.

        ``deadline``: the deadline around it came first. ``nested``: see `NestedOperationError`.
        """
        return str(self.args[3]) if len(self.args) > 3 else "refused"

    def __str__(self) -> str:
        """What is in progress, and when to try again."""
        waited = {
            "waited": " and did not end while this call waited",
            "deadline": " and did not end before the deadline",
        }.get(self.why, "")
        return f"operation {self.name!r} with key {self.key} is in progress{waited}; {self._when()}"


class NestedOperationError(OperationInProgressError):
    """An operation called itself with the same key. It would wait for its own end for ever."""

    def __str__(self) -> str:
        """What called itself, and what to do."""
        return (
            f"operation {self.name!r} with key {self.key} was called inside of itself, and would "
            "wait for its own end: give the inner call a key of its own (claim.derived_key), or "
            "the two operations different names"
        )


class IdempotencyError(SeawallError):
    """The root of what is wrong with one operation."""

    @property
    def name(self) -> str:
        """The operation's name."""
        return str(self.args[0]) if self.args else "?"

    @property
    def key(self) -> str:
        """The key, as the store shows it."""
        return str(self.args[1]) if len(self.args) > 1 else "?"

    def _who(self) -> str:
        return f"operation {self.name!r} with key {self.key}"


class FingerprintMismatchError(IdempotencyError):
    """The key was used before, with other arguments or another payload. Nothing was run."""

    def __str__(self) -> str:
        """What to do."""
        return (
            f"{self._who()} was called before with something else: nothing was run; use a new key "
            "for a new operation, or leave out of fingerprint= what may differ"
        )


class OutcomeUnknownError(IdempotencyError):
    """Whether the operation took effect is not known, and it may run only once.

    Its owner was lost, was cancelled or failed after it had begun. An operator decides.
    """

    @property
    def since(self) -> datetime | None:
        """When that was noticed, on the store's clock, in UTC."""
        micros = self.args[2] if len(self.args) > 2 else None
        return None if micros is None else _BEGINNING + timedelta(microseconds=micros)

    def __str__(self) -> str:
        """What to do."""
        return (
            f"{self._who()} may or may not have taken effect, and is not run again: find out, then "
            "store.resolve(…) it with its result, or store.release(…) it to run again"
        )


class AttemptsExhaustedError(IdempotencyError):
    """Each of the owners that it may have was lost while it ran. An operator decides."""

    @property
    def attempts(self) -> int:
        """How often it was begun."""
        return int(self.args[2]) if len(self.args) > 2 else 0

    def __str__(self) -> str:
        """What to do."""
        return (
            f"{self._who()} was begun {self.attempts} times and never ended: find out what ends "
            "its process, then store.release(…) or store.resolve(…) it"
        )


class LeaseLostError(IdempotencyError):
    """The body ran, but for longer than its lease; somebody else has the operation now.

    What this run returned was not kept, and its effect may happen a second time.
    """

    def __str__(self) -> str:
        """What to do."""
        return (
            f"{self._who()} lost its lease while it ran, and what it came to was not kept: raise "
            "lease= or max_lease=, check claim.lost before each effect, pass claim.fence on to "
            "what refuses older ones, or choose at_most_once=True"
        )


class ResultUnavailableError(IdempotencyError):
    """The operation took effect before, and its result could not be kept. Nothing was run."""

    def __str__(self) -> str:
        """What to do."""
        return (
            f"{self._who()} has taken effect, but its result could not be written down or was too "
            "large, and is not there to be given again: look the effect up, or name a default="
        )


class OutcomeNotRecordedError(IdempotencyError):
    """The body ran to its end, and the store could not be told. Its `StoreError` is the cause.

    Until the lease runs out others are kept out. Then it is run again, or waits for an operator,
    as `on_lost` says.
    """

    @property
    def result(self) -> object:
        """What the body returned."""
        return self.args[2] if len(self.args) > 2 else None

    def __str__(self) -> str:
        """What to do."""
        return (
            f"{self._who()} took effect, but the store could not be told: do not simply call it "
            "again; error.result is what it returned, and on_store_error='run' returns it instead"
        )


class IdempotencyKeyError(SeawallError, TypeError):
    """A call can't be told from others: something in its key or arguments has no stable form.

    Nothing was run.
    """

    @property
    def path(self) -> str:
        """Where it is, such as ``order.items[3].callback``."""
        return str(self.args[0])

    @property
    def why(self) -> str:
        """``unsupported``: its type has no form. ``deep``: it is nested too deep, or in a cycle.

        ``twice``: two keys of a dict, or members of a set, have one form. ``empty``: there is no
        key.
        """
        return str(self.args[1])

    @property
    def kind(self) -> str:
        """The name of the type that is not supported, or of what there is in place of a key."""
        return str(self.args[2])

    def __str__(self) -> str:
        """What can't be written, where it is, and what to do."""
        match self.why:
            case "unsupported":
                return (
                    f"{self.path} is a {self.kind}, which has no form that stays the same from "
                    "one process to the next; say with key= (and fingerprint=) what tells such "
                    "calls apart, such as an id"
                )
            case "deep":
                return f"{self.path} is nested more than 128 deep, or contains itself"
            case "twice":
                return (
                    f"{self.path} has two keys or members that are not told apart, such as two NaNs"
                )
            case _:
                was = "None" if self.kind == "None" else "an empty text"
                return (
                    f"the {self.path} of an idempotent operation is {was}, which all calls that "
                    "lack one would share; give each operation a key of its own"
                )
