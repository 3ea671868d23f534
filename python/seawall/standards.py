"""The pipeline that most calls of a service want."""

from __future__ import annotations

from seawall import lazy
from seawall.pipeline import Pipeline
from seawall.policies.breaker import CircuitBreaker
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
    retry: t.RetrySettings | None = None,
    budget: t.BudgetSettings | None = None,
    breaker: t.BreakerSettings | None = None,
) -> Pipeline:
    """The recommended policies in the recommended order, for the calls of one service.

    From the outside in: a timeout for everything (``"<name>.total"``), a retry of what is
    `transient` with a budget of its own, a circuit breaker that opens on what is `unhealthy`, a
    timeout for each attempt (``"<name>.attempt"``). Both predicates look at returned responses as
    well as at exceptions. The same name with the same settings gives the same policies.

    Args:
        name: The service; also the name of the pipeline, the retry, the budget and the breaker.
        total: Seconds for the call with all of its attempts; None: as long as it takes.
        attempt: Seconds for one attempt; None likewise.
        retry: Settings of the retry that differ from its defaults and these.
        budget: Settings of the retry budget that differ from its defaults.
        breaker: Settings of the circuit breaker that differ from its defaults and these.

    Raises:
        ConfigError: Some settings are wrong, or a name is taken by a policy with others.
    """
    from seawall.clients import transient, unhealthy
    from seawall.policies.budget import RetryBudget

    spent = RetryBudget(name, **(budget or {}))
    trying: t.RetrySettings = {"on": transient, "on_result": transient, "budget": spent}
    judging: t.BreakerSettings = {"on": unhealthy, "on_result": unhealthy}
    trying.update(retry or {})
    judging.update(breaker or {})
    policies: list[t.Policy] = []
    if total is not None:
        policies.append(Timeout(total, name=f"{name}.total"))
    policies.append(Retry(name, **trying))
    policies.append(CircuitBreaker(name, **judging))
    if attempt is not None:
        policies.append(Timeout(attempt, name=f"{name}.attempt"))
    return Pipeline(name, *policies)
