"""The shop by itself: both ways to call, against services that are made up."""

import asyncio

import httpx
import pytest
import seawall
from seawall.demo.order.app import Clients, shop
from seawall.demo.order.naked import Naked
from seawall.demo.order.protected import Protected


class Services:
    """Stands for payments and recommendations: answers in turn, and counts."""

    def __init__(self, *answers):
        self.answers = [*answers]
        self.timeouts = []

    def __call__(self, request):
        self.timeouts.append(request.extensions["timeout"]["read"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            return httpx.Response(answer, text="a book")
        raise answer

    @property
    def clients(self):
        """Clients that reach nobody else."""

        async def answer(request):
            return self(request)

        return Clients(
            httpx.Client(base_url="http://it", transport=httpx.MockTransport(self)),
            httpx.AsyncClient(base_url="http://it", transport=httpx.MockTransport(answer)),
        )


@pytest.fixture(autouse=True)
def clock():
    """Pauses take no time; circuits that a test opened are closed again."""
    for breaker in ("payments", "recommendations"):
        seawall.registry.get("breaker", breaker).reset()
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """Those of the naked shop are real: they are cut short."""
    monkeypatch.setattr("seawall.demo.order.naked.PAUSE", 0.0)


def asked(calls, method, path):
    """One request to the shop."""

    async def main():
        transport = httpx.ASGITransport(shop(calls))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.request(method, path, params={"number": 1})

    return asyncio.run(main())


@pytest.mark.parametrize("way", [Naked, Protected])
def test_all_is_well(way):
    """Healthy: an order is charged, a page has recommendations, and each service is called once."""
    services = Services(200)
    calls = way(services.clients)
    assert asked(calls, "POST", "/checkout").headers["x-end"] == "answered"
    assert asked(calls, "GET", "/product").headers["x-end"] == "answered"
    assert asked(calls, "GET", "/cart").headers["x-end"] == "answered"
    assert len(services.timeouts) == 2


@pytest.mark.parametrize("way", [Naked, Protected])
def test_a_failure_that_passes_is_tried_again(way):
    """Both ways get over a 503: the naked shop is no straw man."""
    assert asked(way(Services(503, 200).clients), "POST", "/checkout").status_code == 201
    assert asked(way(Services(503, 200).clients), "GET", "/product").headers["x-end"] == "answered"


@pytest.mark.parametrize("way", [Naked, Protected])
def test_a_page_does_without_recommendations(way):
    """If there are none to be had, both ways show the page without them."""
    shown = asked(way(Services(httpx.ConnectError("refused")).clients), "GET", "/product")
    assert (shown.status_code, shown.headers["x-end"]) == (200, "fallback")


@pytest.mark.parametrize("way", [Naked, Protected])
def test_an_order_that_can_not_be_charged(way):
    """Three attempts, then its user is told so."""
    services = Services(httpx.ConnectError("refused"))
    failed = asked(way(services.clients), "POST", "/checkout")
    assert (failed.status_code, failed.headers["x-end"]) == (502, "failed")
    assert len(services.timeouts) == 3


def test_timeouts():
    """The naked shop has httpx's own 5 s; the protected one half a second for an attempt."""
    services = Services(200)
    asked(Naked(services.clients), "POST", "/checkout")
    asked(Protected(services.clients), "POST", "/checkout")
    assert services.timeouts == [5.0, 0.5]


def test_a_service_that_is_down_is_left_alone():
    """Protected, further orders are refused at once and reach nobody, with a `Retry-After`."""
    services = Services(httpx.ReadTimeout("hangs"))
    calls = Protected(services.clients)
    while seawall.registry.get("breaker", "payments").state == "closed":
        asked(calls, "POST", "/checkout")
    before = len(services.timeouts)
    refused = asked(calls, "POST", "/checkout")
    assert (refused.status_code, refused.headers["x-end"]) == (503, "refused")
    assert refused.headers["retry-after"] == "1"
    assert len(services.timeouts) == before


def test_a_mistake_is_not_hidden():
    """An error that says nothing of the services is none of the ends: it is raised."""
    with pytest.raises(ZeroDivisionError):
        asked(Protected(Services(ZeroDivisionError()).clients), "POST", "/checkout")
