"""What timeouts and deadlines raise."""

from __future__ import annotations

from seawall import lazy
from seawall.errors import SeawallError, in_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["CallTimeoutError", "DeadlineExceededError"]


class _Late(SeawallError, TimeoutError):
    def __new__(cls, *args: t.Any) -> t.Self:
        # An OSError would take them for an errno, a text and a file.
        self = super().__new__(cls)
        self.args = args
        return self

    @property
    def name(self) -> str | None:
        """The name of the policy or of the deadline."""
        return self.args[0] if self.args else None

    @property
    def limit(self) -> float | None:
        """The seconds that there were."""
        return self.args[1] if len(self.args) > 1 else None

    @property
    def elapsed(self) -> float | None:
        """The seconds that had passed when this was raised."""
        return self.args[2] if len(self.args) > 2 else None

    def _times(self) -> str:
        of = "" if self.limit is None else f" of {in_seconds(self.limit)}"
        return (
            of if self.elapsed is None else f"{of} passed ({in_seconds(self.elapsed)} have gone by)"
        )


class CallTimeoutError(_Late):
    """A call took longer than its timeout allows. It was cancelled, or given up."""

    policy: t.ClassVar[str] = "timeout"

    @property
    def abandoned(self) -> bool:
        """Whether the call still runs, in a thread that can't be stopped."""
        return bool(self.args[3]) if len(self.args) > 3 else False

    def __str__(self) -> str:
        """Which timeout, what became of the call, and what to do."""
        became = "still runs in a thread that was given up" if self.abandoned else "was cancelled"
        return (
            f"timeout {self.name or '?'!r}{self._times()}; the call {became}, and may have had its "
            "effect: call again only if that does no harm, or allow it more time"
        )


class DeadlineExceededError(_Late):
    """The deadline around this work has passed."""

    _deadline: t.Any = None

    policy: t.ClassVar[str] = "deadline"

    def __reduce__(self) -> tuple[t.Any, ...]:
        """Without the deadline itself, which belongs to this process."""
        state = {name: value for name, value in vars(self).items() if name != "_deadline"}
        return type(self), self.args, state

    @property
    def where(self) -> str | None:
        """The place where it was set."""
        return self.args[3] if len(self.args) > 3 else None

    def __str__(self) -> str:
        """Which deadline, where it was set, and what to do."""
        name = "" if self.name is None else f" {self.name!r}"
        where = "" if self.where is None else f"; it was set by {self.where}"
        return (
            f"deadline{name}{self._times()}{where}; do not try again within it: "
            "its caller has given up, or needs to allow more time"
        )
