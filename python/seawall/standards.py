"""The pipeline that most calls of a service want."""

from __future__ import annotations

from seawall import lazy, registry
from seawall.errors import ConfigError
from seawall.pipeline import Pipeline
from seawall.policies.breaker import CircuitBreaker
from seawall.policies.bulkhead import Bulkhead
from seawall.policies.fallback import Fallback
from seawall.policies.rate_limit import RateLimit
from seawall.policies.retry import Retry
from seawall.policies.timeout import Timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall import hints as t
else:
    t = lazy.module("seawall.hints")

__all__ = ["standard"]


def standard(
    name: str,
    *,
    total: t.Seconds | None = 30.0,
    attempt: t.Seconds | None = 10.0,
    concurrent: int | None = 100,
    rate: float | None = None,
    retry: t.RetrySettings | None = None,
    budget: t.BudgetSettings | None = None,
    breaker: t.BreakerSettings | None = None,
    rate_limit: t.RateLimitSettings | None = None,
    bulkhead: t.BulkheadSettings | None = None,
    fallback: Fallback | None = None,
) -> Pipeline:
    """The recommended policies in the recommended order, for the calls of one service.

    From the outside in: ``fallback`` if it is given, a timeout for everything
    (``"<name>.total"``), a retry of what is `transient` with a budget of its own, a circuit breaker
    that opens on what is `unhealthy`, a rate limit if ``rate`` is given, a bulkhead in which a call
    waits for a second at most, a timeout for each attempt (``"<name>.attempt"``). Both predicates
    look at returned responses as well as at exceptions. The same name with the same settings gives
    the same policies.

    Args:
        name: The service; also the name of the pipeline, and of each policy that is not a timeout.
        total: Seconds for the call with all of its attempts; None: as long as it takes.
        attempt: Seconds for one attempt; None likewise.
        concurrent: Attempts at once; None: as many as come.
        rate: Attempts a second, or in what ``rate_limit`` says; None: as many as come.
        retry: Settings of the retry that differ from its defaults and these.
        budget: Settings of the retry budget that differ from its defaults.
        breaker: Settings of the circuit breaker that differ from its defaults and these.
        rate_limit: Settings of the rate limit that differ from its defaults.
        bulkhead: Settings of the bulkhead that differ from its defaults and these.
        fallback: What answers where all of that comes to nothing.

    Raises:
        ConfigError: Naming everything that is wrong: the name, settings, and those that differ from
            what a name stands for already. Nothing is made then, and no name is taken.
    """
    from seawall.clients import transient, unhealthy
    from seawall.policies.budget import RetryBudget

    trying: t.RetrySettings = {"on": transient, "on_result": transient}
    judging: t.BreakerSettings = {"on": unhealthy, "on_result": unhealthy}
    judging.update(breaker or {})

    def spending(name: str) -> RetryBudget:
        spent = RetryBudget(name, **(budget or {}))
        trying.update({"budget": spent, **(retry or {})})
        return spent

    makers: dict[str, tuple[str, str, t.Callable[[str], t.Any]]] = {
        "budget": ("budget", "", spending),
        "retry": ("retry", "", lambda name: Retry(name, **trying)),
        "breaker": ("breaker", "", lambda name: CircuitBreaker(name, **judging)),
    }
    if total is not None:
        limit = total
        makers = {"total": ("timeout", ".total", lambda name: Timeout(limit, name=name)), **makers}
    if rate is not None:
        so_many = rate
        shaping = rate_limit or {}
        makers["rate_limit"] = ("rate_limit", "", lambda name: RateLimit(name, so_many, **shaping))
    if concurrent is not None:
        # Whoever gathers hundreds of calls is served; a service that hangs is not queued for.
        bounding: t.BulkheadSettings = {
            "max_concurrent": concurrent,
            "max_wait": 1.0,
            "max_queue": 1000,
        }
        bounding.update(bulkhead or {})
        makers["bulkhead"] = ("bulkhead", "", lambda name: Bulkhead(name, **bounding))
    if attempt is not None:
        each = attempt
        makers["attempt"] = ("timeout", ".attempt", lambda name: Timeout(each, name=name))
    wrong: list[tuple[str, str, str, str | None]] = [
        (what, repr(given), f"belongs to what {without}=None leaves out", None)
        for what, given, without in (
            ("rate_limit", rate_limit, "rate" if rate is None else None),
            ("bulkhead", bulkhead, "concurrent" if concurrent is None else None),
        )
        if given and without
    ]
    given: t.Any = fallback
    if not isinstance(given, Fallback | None):
        wrong.append(("fallback", repr(given), "must be a seawall.Fallback", None))
    _check(name, makers, wrong)
    made = {what: make(f"{name}{suffix}") for what, (_, suffix, make) in makers.items()}
    del made["budget"]
    outermost = () if fallback is None else (fallback,)
    return Pipeline(name, *outermost, *made.values())


def _check(
    name: t.Any,
    makers: dict[str, tuple[str, str, t.Callable[[str], t.Any]]],
    found: list[tuple[str, str, str, str | None]],
) -> None:
    """Finds all that is wrong. Who has a name already is asked; who has none is made on trial."""
    problems = list(found)
    named = isinstance(name, str) and bool(name)
    if not named:
        problems.append(("name", repr(name), "must be a string that is not empty", None))
    trial = registry.Books()
    for what, (kind, suffix, make) in makers.items():
        stands = named and registry.get(kind, f"{name}{suffix}") is not None
        token = registry.books.set(registry.books.get() if stands else trial)
        try:
            make(f"{name}{suffix}" if named else f"it{suffix}")
        except ConfigError as error:
            problems += [
                (what if kind == "timeout" else f"{what}.{one.field}", *one[1:])
                for one in error.problems
            ]
        finally:
            registry.books.reset(token)
    if problems:
        raise ConfigError(f"standard {name!r}" if named else "standard", problems)
