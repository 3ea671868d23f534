"""The users: a process that makes their requests, and notes what each of them goes through."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from seawall.demo.child import Parent
from seawall.demo.load import PATIENCE, Visit, send, visits

__all__ = ["play"]

#: Made before the beginning, so that no user is the first to meet code that is not loaded yet.
WARM_UP = 5


def play(told: Any, parent: Parent) -> None:
    """Makes the requests of a schedule.

    Args:
        told: ``port`` of the order service, ``seconds``, ``seed``.
        parent: Hears of each request when it is over.
    """
    asyncio.run(_play(told, parent))


async def _play(told: Any, parent: Parent) -> None:
    # As many connections as there are users: nobody waits for another one's.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    address = f"http://127.0.0.1:{told['port']}"
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=None) as client:  # noqa: S113 - their patience is the limit

        async def visit(one: Visit, late: float) -> None:
            try:
                async with asyncio.timeout(PATIENCE - late):
                    end = await _ask(client, one)
            except TimeoutError:
                end = "gave up"
            waited = min(parent.start.now() - one.due, PATIENCE)
            parent.tell(
                "visit",
                route=one.route,
                due=round(one.due, 4),
                waited=round(waited, 4),
                late=round(late, 4),
                end=end,
            )

        for number in range(WARM_UP):
            for route in ("cart", "checkout", "product"):
                await _ask(client, Visit(0, -1 - number, route))
        parent.tell("ready")
        await asyncio.to_thread(parent.start.known.wait)
        await send(visits(told["seconds"], told["seed"]), visit, now=parent.start.now)


async def _ask(client: httpx.AsyncClient, one: Visit) -> str:
    """One request, and how it ended."""
    method = "POST" if one.route == "checkout" else "GET"
    try:
        answer = await client.request(method, f"/{one.route}", params={"number": one.number})
    except httpx.HTTPError:
        return "failed"
    # What became of it is in the answer: "answered", "fallback", "refused" or "failed".
    return str(answer.headers.get("x-end", "failed"))
