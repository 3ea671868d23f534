"""The same calls with seawall: each line bounds one way in which others can pull the shop down.

The circuits stay open for half a second only, since an outage here lasts seconds; a real one lasts
minutes, and so may they: `open_duration` is 30 s if nothing is said.
"""

from __future__ import annotations

import httpx

import seawall
from seawall.demo.order.app import Clients, Recommended

__all__ = ["Protected"]

#: Seconds for one attempt: many times what an answer takes on a good day.
ATTEMPT = 0.5


class Protected:
    """Limits, retries within a budget, circuit breakers, bulkheads, and a fallback."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @seawall.timeout(1.5, name="payments")
    @seawall.retry(
        "payments",
        attempts=3,
        on=seawall.transient,
        backoff=seawall.exponential(0.05, cap=0.5),
        budget=seawall.RetryBudget("payments", ratio=0.2, min_per_second=1),
    )
    @seawall.circuit_breaker(
        "payments",
        failure_rate=0.5,
        window=seawall.calls(20),
        min_calls=10,
        open_duration=0.5,
        half_open_calls=3,
        on=seawall.unhealthy,
    )
    @seawall.bulkhead("payments", max_concurrent=15, max_wait=0.1)
    def charge(self, order: int) -> None:
        """Charges an order.

        Raises:
            httpx.HTTPError: It was not charged.
            seawall.Rejected: It was not even tried: payments don't answer, or too many wait.
        """
        # A plain function can't be interrupted; the client is told what time is left.
        left = min(ATTEMPT, seawall.remaining() or 0.0)
        payments = self._clients.payments
        payments.post("/", json={"order": order}, timeout=left).raise_for_status()

    @seawall.fallback(
        Recommended([], fallback=True),
        name="recommendations",
        on=(seawall.Rejected, httpx.HTTPError, TimeoutError),
    )
    @seawall.timeout(1.0, name="recommendations")
    @seawall.retry(
        "recommendations",
        attempts=2,
        on=seawall.transient,
        backoff=seawall.exponential(0.05, cap=0.5),
        budget=seawall.RetryBudget("recommendations", ratio=0.2, min_per_second=1),
    )
    @seawall.circuit_breaker(
        "recommendations",
        failure_rate=0.5,
        window=seawall.calls(20),
        min_calls=10,
        open_duration=0.5,
        half_open_calls=3,
        on=seawall.unhealthy,
    )
    @seawall.bulkhead("recommendations", max_concurrent=15)
    @seawall.timeout(ATTEMPT, name="recommendations.attempt")
    async def recommend(self, user: int) -> Recommended:
        """Recommendations, or none if there are none to be had."""
        got = await self._clients.recommendations.get("/", params={"user": user})
        return Recommended([got.raise_for_status().text])
