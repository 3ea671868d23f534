"""As a usual team writes it: httpx with its timeout of 5 s, and three attempts.

Nothing here is careless. There is a timeout, failures are tried again after a pause, and a product
page without recommendations is still a product page.
"""

from __future__ import annotations

import asyncio
import time

import httpx

from seawall.demo.order.app import Clients, Recommended

__all__ = ["Naked"]

ATTEMPTS = 3
PAUSE = 0.1


class Naked:
    """Timeouts and retries by hand."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def charge(self, order: int) -> None:
        """Charges an order.

        Raises:
            httpx.HTTPError: It was not charged.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._clients.payments.post("/", json={"order": order}).raise_for_status()
            except httpx.HTTPError:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(PAUSE)
            else:
                return

    async def recommend(self, user: int) -> Recommended:
        """Recommendations, or none if there are none to be had."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                got = await self._clients.recommendations.get("/", params={"user": user})
                got.raise_for_status()
            except httpx.HTTPError:
                if attempt == ATTEMPTS:
                    break
                await asyncio.sleep(PAUSE)
            else:
                return Recommended([got.text])
        return Recommended([], fallback=True)
