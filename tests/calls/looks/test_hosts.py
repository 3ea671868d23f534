"""Protected functions in the hands of frameworks that look at them first."""

import functools
import threading

import fastapi
import fastapi.testclient
import pytest
import seawall
from starlette import routing
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient


@pytest.fixture
def client(patient):
    """A FastAPI application with protected routes."""
    app = fastapi.FastAPI()

    def dependency(d: int = 4) -> int:
        return d

    @app.get("/sync")
    @patient
    def sync(a: int, d: int = fastapi.Depends(patient(dependency))) -> list:
        return [a, d, threading.current_thread() is loop_thread[0]]

    @app.get("/async")
    @patient
    async def later(a: int) -> list:
        return [a, threading.current_thread() is loop_thread[0]]

    @app.get("/partial")
    @patient
    @functools.partial
    async def partial(a: int) -> list:
        return [a, threading.current_thread() is loop_thread[0]]

    loop_thread = []

    @app.middleware("http")
    async def remember(request, go_on):
        loop_thread[:] = [threading.current_thread()]
        return await go_on(request)

    with fastapi.testclient.TestClient(app) as client:
        yield client


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fastapi(client, tally, patient):
    """Parameters are read from the function; sync runs in a thread, async on the loop."""
    assert client.get("/sync", params={"a": 1}).json() == [1, 4, False]
    assert client.get("/async", params={"a": 2}).json() == [2, True]
    assert client.get("/partial", params={"a": 3}).json() == [3, True]
    assert client.get("/sync", params={"a": "x"}).status_code == 422
    # FastAPI asks the dependency before it refuses the parameters.
    assert tally(patient) == {"success": 5}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_starlette(patient, tally):
    """Starlette routes protected endpoints of both sorts."""

    @patient
    def sync(request):
        return PlainTextResponse("sync")

    @patient
    async def later(request):
        return PlainTextResponse("async")

    class Endpoint:
        @patient
        async def bound(self, request):
            return PlainTextResponse("bound")

    routes = [
        routing.Route("/sync", sync),
        routing.Route("/async", later),
        routing.Route("/bound", Endpoint().bound),
    ]
    with TestClient(Starlette(routes=routes)) as client:
        assert [client.get(path).text for path in ("/sync", "/async", "/bound")] == [
            "sync",
            "async",
            "bound",
        ]
    assert tally(patient) == {"success": 3}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("sort", ["sync", "async"])
def test_fastapi_dependencies_that_yield(patient, tally, sort):
    """A dependency with `yield` is one when protected, and a request's own error is not its."""
    told = []

    @patient
    def session(d: int = 4):
        try:
            yield d
        finally:
            told.append("closed")

    @patient
    async def session_later(d: int = 4):
        try:
            yield d
        finally:
            told.append("closed")

    app = fastapi.FastAPI()
    dependency = fastapi.Depends(session if sort == "sync" else session_later)

    @app.get("/")
    def route(a: int, d: int = dependency) -> list:
        if a == 0:
            raise fastapi.HTTPException(418)
        return [a, d]

    with fastapi.testclient.TestClient(app) as client:
        assert client.get("/", params={"a": 1, "d": 2}).json() == [1, 2]
        assert client.get("/", params={"a": 0}).status_code == 418
    assert told == ["closed"] * 2
    assert tally(patient) == {"success": 2}


@pytest.fixture(name="lent")
@seawall.CircuitBreaker("fixture of pytest", failure_threshold=60_000)
def lent_fixture(tmp_path):
    """A fixture that yields."""
    yield tmp_path
    assert tmp_path.exists()


def test_pytest_fixtures_that_yield(lent, tmp_path):
    """A protected generator function is a fixture with `yield` to pytest."""
    assert lent == tmp_path
