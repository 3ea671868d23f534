"""What stores raise. Each names its store, by the URL without passwords."""

from __future__ import annotations

from typing import ClassVar, Self

from seawall.errors import SeawallError

__all__ = [
    "NotResolvableError",
    "StoreBusyError",
    "StoreClosedError",
    "StoreConnectionError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreNewerError",
    "StoreTimeoutError",
    "StoreUnavailableError",
    "StoreWarning",
]


class StoreWarning(RuntimeWarning):
    """A store's server is set up so that it may lose what it keeps, or forget it too early."""


class StoreError(SeawallError):
    """A store gave no answer.

    What was asked has not been done, except where `outcome_unknown` says that this can't be told.
    """

    _advice: ClassVar[str] = "see what the store's server or disk says of it, and try again"

    @property
    def store(self) -> str:
        """Its URL, without passwords."""
        return str(self.args[0]) if self.args else "?"

    @property
    def reason(self) -> str:
        """What happened."""
        return str(self.args[1]) if len(self.args) > 1 else "it gave no answer"

    @property
    def outcome_unknown(self) -> bool:
        """Whether what was asked may have been done all the same."""
        return type(self) in {StoreError, StoreTimeoutError, StoreConnectionError}

    def __str__(self) -> str:
        """Which store, what happened, and what to do."""
        return f"store {self.store}: {self.reason}; {self._advice}"


class StoreUnavailableError(StoreError):
    """It can't be opened or reached, or is not a store of seawall's. Nothing was done."""

    _advice = "see that it is there, that its URL is right, and that this process may use it"


class StoreBusyError(StoreError):
    """Too many others use it at this moment. Nothing was done."""

    _advice = "try again in a moment, or let fewer use it at once"


class _Unknown(StoreError):
    def __new__(cls, *args: object) -> Self:
        # An OSError would take them for an errno and a text.
        self = super().__new__(cls)
        self.args = args
        return self


class StoreTimeoutError(_Unknown, TimeoutError):
    """It did not answer in time. Whether it did what was asked is not known."""

    _advice = "ask again: a claim that was given is given back, and what its owner said stays said"


class StoreConnectionError(_Unknown, ConnectionError):
    """The connection to it was lost in the middle. Whether it did what was asked is not known."""

    _advice = "ask again: a claim is the same claim then, and what its owner said stays said"


class StoreFullError(StoreError):
    """There is no room for more. Nothing was done, and nothing that was kept is lost."""

    _advice = "make room: remove what has expired with gc(), raise max_size, keep results for less"


class StoreDamagedError(StoreError):
    """What it keeps can't be read: its file, or one record, is damaged. Nothing was done."""

    _advice = (
        "do not run the operation blindly: restore the store from a copy, or look for the effect"
    )


class StoreNewerError(StoreError):
    """A newer version of seawall laid it out. Nothing was done."""

    _advice = "update seawall in this process too"


class StoreClosedError(StoreError):
    """It was closed. Nothing was done."""

    _advice = "open it again with seawall.open_store"


class NotResolvableError(SeawallError):
    """There is nothing for an operator to decide about an operation.

    Only one that is quarantined, dead, or whose owner let its lease run out waits for a decision.
    """

    @property
    def store(self) -> str:
        """The store's URL, without passwords."""
        return str(self.args[0])

    @property
    def key(self) -> str:
        """The operation's key, as `Record.key` shows it."""
        return str(self.args[1])

    @property
    def state(self) -> str | None:
        """Its state; None: the store knows nothing of it."""
        state: str | None = self.args[2]
        return state

    def __str__(self) -> str:
        """What it is instead, and what to do."""
        if self.state is None:
            return (
                f"store {self.store}: nothing is kept of {self.key}; see that namespace, scope and "
                "key are right: list() shows those that there are"
            )
        return (
            f"store {self.store}: {self.key} is {self.state}, and there is nothing to decide about "
            "it: only what is quarantined, dead or lost by its owner can be resolved or released"
        )
