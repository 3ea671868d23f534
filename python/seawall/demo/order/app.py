"""The shop: cart, checkout and product page, by sync and async routes of one Starlette service.

The cart needs nobody. But it is a plain function, as the checkout is, and both run in the threads
that the service has for those: 40, if nothing else is said.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import seawall
from seawall.demo.child import HOST, Parent, serve

__all__ = ["Calls", "Clients", "Recommended", "play"]

#: Seconds that a page takes for what it does by itself.
OWN_WORK = 0.005


class Clients(NamedTuple):
    """The clients of both services, as httpx makes them by default."""

    payments: httpx.Client
    recommendations: httpx.AsyncClient


class Recommended(NamedTuple):
    """What a product page shows beside the product."""

    titles: list[str]
    fallback: bool = False


class Calls(Protocol):
    """How the shop calls others."""

    def charge(self, order: int) -> None:
        """Charges an order. The order's number makes it safe to be asked twice.

        Raises:
            Exception: It was not charged.
        """
        ...

    async def recommend(self, user: int) -> Recommended:
        """What to show beside a product."""
        ...


def shop(calls: Calls) -> Starlette:
    """The service."""

    def cart(_: Request) -> Response:
        time.sleep(OWN_WORK)
        return answer("answered", 200)

    def checkout(request: Request) -> Response:
        time.sleep(OWN_WORK)
        try:
            calls.charge(int(request.query_params["number"]))
        except seawall.Rejected:
            return answer("refused", 503, {"Retry-After": "1"})
        except (httpx.HTTPError, TimeoutError):
            return answer("failed", 502)
        return answer("answered", 201)

    async def product(request: Request) -> Response:
        shown = await calls.recommend(int(request.query_params["number"]))
        return answer("fallback" if shown.fallback else "answered", 200)

    return Starlette(
        routes=[
            Route("/cart", cart),
            Route("/checkout", checkout, methods=["POST"]),
            Route("/product", product),
        ]
    )


def answer(end: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A response that says what became of the request."""
    return JSONResponse({"end": end}, status, {"X-End": end, **(headers or {})})


def play(told: Any, parent: Parent) -> None:
    """Serves.

    Args:
        told: ``protected``, and the ports of ``payments`` and ``recommendations``.
        parent: Hears of each turn of a circuit breaker.
    """
    from seawall.demo.order.naked import Naked
    from seawall.demo.order.protected import Protected

    clients = Clients(
        httpx.Client(base_url=f"http://{HOST}:{told['payments']}"),
        httpx.AsyncClient(base_url=f"http://{HOST}:{told['recommendations']}"),
    )

    def turned(event: seawall.BreakerEvent) -> None:
        parent.tell("turn", breaker=event.name, state=event.after)

    with seawall.subscribe(turned, kinds=["breaker"]):
        calls: Calls = Protected(clients) if told["protected"] else Naked(clients)
        serve(shop(calls), parent)
