"""What seawall raises.

Errors that reject a call are made where calls are rejected, often and fast: they keep what they
know in ``args`` and put it into words only when somebody reads them.
"""

from __future__ import annotations

from seawall import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["CircuitOpenError", "ConfigError", "Problem", "Rejected", "SeawallError"]


class SeawallError(Exception):
    """The root of every error that seawall itself raises."""


class Problem(tuple[str, str, str, "str | None"]):
    """One thing that is wrong with some settings."""

    __slots__ = ()

    @property
    def field(self) -> str:
        """The setting's name."""
        return self[0]

    @property
    def value(self) -> str:
        """The value given, as text."""
        return self[1]

    @property
    def rule(self) -> str:
        """The rule that it breaks."""
        return self[2]

    @property
    def nearest(self) -> str | None:
        """For an unknown name, the known one that looks most like it."""
        return self[3]

    def __str__(self) -> str:
        """The problem as a clause: ``min_calls=0 must be at least 1``."""
        hint = f" (did you mean {self.nearest}?)" if self.nearest else ""
        return f"{self.field}={self.value} {self.rule}{hint}"


class ConfigError(SeawallError, ValueError):
    """Settings, or the thing to be protected, were refused.

    Names every problem at once. Nothing was changed.

    Attributes:
        subject: What was being configured.
        problems: Everything that is wrong with it, as `Problem`s.
    """

    def __init__(
        self, subject: str, problems: t.Iterable[tuple[str, str, str, str | None]]
    ) -> None:
        """Takes the subject and one row for each problem."""
        self.subject = subject
        self.problems = tuple(Problem(problem) for problem in problems)
        super().__init__(subject, self.problems)

    def __str__(self) -> str:
        """The subject, then every problem."""
        return f"{self.subject}: " + "; ".join(str(problem) for problem in self.problems)


class Rejected(SeawallError):
    """A policy did not let a call in; the protected function was not run.

    Attributes:
        policy: The kind of policy that refused, as events and metrics call it.
    """

    policy: t.ClassVar[str] = "policy"

    @property
    def name(self) -> str:
        """The name of the policy that refused."""
        return str(self.args[0]) if self.args else "?"

    @property
    def retry_after(self) -> float | None:
        """Seconds until a call may be let in; 0.0: at any moment; None: nobody can tell."""
        return self.args[1] if len(self.args) > 1 else None

    def __str__(self) -> str:
        """Who refused, and when to try again."""
        return f"{self.policy} {self.name!r} refused the call; {self._when()}"

    def _when(self) -> str:
        if self.retry_after is None:
            return "it does not say when to try again"
        if self.retry_after <= 0:
            return "try again in a moment"
        digits = ".3g" if self.retry_after < 1000 else ".0f"
        return f"try again in {self.retry_after:{digits}} s"


class CircuitOpenError(Rejected):
    """The circuit is open, or half-open with all of its probes out."""

    policy = "breaker"

    @property
    def state(self) -> str:
        """The circuit's state at that moment: ``open``, ``half_open`` or ``forced_open``."""
        return self.args[2] if len(self.args) > 2 else "open"

    @property
    def key(self) -> object:
        """Of a breaker with a circuit for each key, whose circuit it was.

        None: that of calls without a key, or the breaker has one for all. `seawall.OTHER_KEYS`: the
        one that is shared by keys which found no room.
        """
        return self.args[3] if len(self.args) > 3 else None

    def __str__(self) -> str:
        """What the circuit is doing, and when to try again."""
        circuit = f"circuit {self.name!r}"
        if len(self.args) > 3:
            circuit += " of calls without a key" if self.key is None else f" of key {self.key!r}"
        match self.state:
            case "half_open":
                why = "is half-open and all of its probes are out"
            case "forced_open":
                return f"{circuit} is forced open: it stays so until reset() is called"
            case _:
                why = "is open"
        return f"{circuit} {why}; {self._when()}"
