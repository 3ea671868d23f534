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

__all__ = [
    "BlockingWaitWarning",
    "BulkheadFullError",
    "CircuitOpenError",
    "CompositionWarning",
    "ConfigError",
    "NestedRetryError",
    "NotRememberedWarning",
    "Problem",
    "RateLimitedError",
    "Rejected",
    "RetriesExhaustedError",
    "RetryBudgetExhaustedError",
    "SeawallError",
    "ThreadsExhaustedError",
    "in_seconds",
]


class SeawallError(Exception):
    """The root of every error that seawall itself raises."""


class BlockingWaitWarning(RuntimeWarning):
    """seawall blocks a thread that runs an event loop: nothing else of that loop goes on meanwhile.

    A plain function that is to wait, called inside of asyncio or trio, can only block. Protect an
    ``async def`` instead, or call the function in a thread (``asyncio.to_thread``).
    """


class NotRememberedWarning(RuntimeWarning):
    """A fallback can't remember the answers of calls whose arguments it can't tell apart.

    Told once for each fallback. Arguments are told apart by their hashes, which lists, dicts and
    the like don't have: say by ``key=`` what tells such calls apart.
    """


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


class CompositionWarning(UserWarning):
    """Policies in an order that works, but seldom as it was meant. Says what to change."""


class NestedRetryError(Rejected):
    """A retry that refuses it (``nested="refuse"``) was called inside of another."""

    policy = "retry"

    def __str__(self) -> str:
        """Who refused, and what to do."""
        return (
            f"retry {self.name!r} refused a call inside of another retry: take one of the two "
            "away, or let it inherit (nested='inherit')"
        )


class RetriesExhaustedError(SeawallError):
    """A call was given up; its last error is the ``__cause__``. Only with ``reraise=False``."""

    @property
    def name(self) -> str:
        """The name of the retry that gave up."""
        return str(self.args[0])

    @property
    def attempts(self) -> int:
        """How many attempts were made."""
        return int(self.args[1])

    @property
    def elapsed(self) -> float:
        """Seconds from the first attempt to the end."""
        return float(self.args[2])

    @property
    def why(self) -> str:
        """What was reached: see `RetryGaveUp`."""
        return str(self.args[3])

    def __str__(self) -> str:
        """Who gave up, after what."""
        times = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        return f"retry {self.name!r} gave up after {times} in {self.elapsed:.3f} s ({self.why})"


class RetryBudgetExhaustedError(Rejected):
    """The retry budget permits no further attempt now. The first attempt of a call needs none."""

    policy = "budget"

    def __str__(self) -> str:
        """Which budget, and when to try again."""
        return f"retry budget {self.name!r} is exhausted; {self._when()}"


class BulkheadFullError(Rejected):
    """As many calls as may are running, and this one did not get its turn."""

    policy = "bulkhead"

    @property
    def why(self) -> str:
        """``full``: refused at once. ``waited``: it waited as long as it may, in vain.

        ``deadline``: the deadline around it came first.
        """
        return self.args[2] if len(self.args) > 2 else "full"

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self.args[3] if len(self.args) > 3 else 0

    @property
    def waiting(self) -> int:
        """How many others waited at that moment."""
        return self.args[4] if len(self.args) > 4 else 0

    @property
    def waited(self) -> float:
        """For how many seconds it had waited."""
        return self.args[5] if len(self.args) > 5 else 0.0

    @property
    def key(self) -> object:
        """Of a bulkhead with a limit for each key, whose it was; see `CircuitOpenError.key`."""
        return self.args[6] if len(self.args) > 6 else None

    def __str__(self) -> str:
        """How full it is, and what became of the waiting."""
        which = f"bulkhead {self.name!r}"
        if len(self.args) > 6:
            which += " of calls without a key" if self.key is None else f" of key {self.key!r}"
        calls = "1 call runs" if self.limit == 1 else f"{self.limit} calls run"
        full = f"{which} is full: {calls}"
        match self.why:
            case "waited":
                return f"{full}, and none ended within {in_seconds(self.waited)}; {self._when()}"
            case "deadline":
                return (
                    f"{full}, and the deadline came before one ended "
                    f"({in_seconds(self.waited)} have gone by)"
                )
            case _:
                others = f" and {self.waiting} wait" if self.waiting else ""
                return f"{full}{others}; {self._when()}"


class ThreadsExhaustedError(Rejected):
    """A policy that runs calls in threads of its own has no thread left for this one.

    All are at work. Often most of them hang in calls that were given up and can't be stopped.
    """

    policy = "timeout"

    @property
    def threads(self) -> int:
        """How many threads there are, which is how many there may be."""
        return self.args[2] if len(self.args) > 2 else 0

    @property
    def abandoned(self) -> int:
        """How many of them hang in calls that were given up."""
        return self.args[3] if len(self.args) > 3 else 0

    def __str__(self) -> str:
        """What the threads are busy with, and what to do."""
        refused = f"{self.policy} {self.name!r} refused the call:"
        if not self.abandoned:
            return (
                f"{refused} its {self.threads} threads are all at work, and none of them hangs; "
                "raise max_threads, or let fewer call at once"
            )
        return (
            f"{refused} {self.abandoned} of its {self.threads} threads hang in calls that were "
            "given up; find out what those wait for, give the client a timeout of its own, or "
            "raise max_threads"
        )


class RateLimitedError(Rejected):
    """Too many calls have come: this one would not be let in in time."""

    policy = "rate_limit"

    @property
    def cost(self) -> float:
        """What the call would have taken of the limit."""
        return self.args[2] if len(self.args) > 2 else 1.0

    @property
    def key(self) -> object:
        """Of a limit with a state for each key, whose state it was.

        None: that of calls without a key, or the limit has one for all. `seawall.OTHER_KEYS`: the
        one that is shared by keys which found no room.
        """
        return self.args[3] if len(self.args) > 3 else None

    def __str__(self) -> str:
        """Which limit, and when to try again."""
        limit = f"rate limit {self.name!r}"
        if len(self.args) > 3:
            limit += " of calls without a key" if self.key is None else f" of key {self.key!r}"
        if self.retry_after is None:
            return f"{limit} never lets in a call that costs {self.cost:g}: raise its burst"
        return f"{limit} is reached; {self._when()}"


def in_seconds(number: float) -> str:
    """A time as messages say it."""
    return f"{number:.3g} s" if number < 1000 else f"{number:.0f} s"
