"""One function for each HTTP client, all with one face, and what fails when they are called."""

import asyncio
import urllib.request
from collections.abc import Callable

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3


def patience(url: str) -> float:
    """Short where a timeout is what is awaited, else long enough for the busiest machine."""
    return 0.2 if url.endswith("/slow") else 20.0


Get = Callable[..., object]


def with_httpx(url: str, *, strict: bool = False, client: object = httpx) -> object:
    """By httpx, or by what has its face."""
    response = client.get(url, timeout=patience(url), trust_env=False)
    return response.raise_for_status() if strict else response


def with_httpx2(url: str, *, strict: bool = False) -> object:
    """By httpx2."""
    return with_httpx(url, strict=strict, client=httpx2)


def with_requests(url: str, *, strict: bool = False) -> object:
    """By requests."""
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(url, timeout=patience(url))
        if strict:
            response.raise_for_status()
        return response


def with_urllib3(url: str, *, strict: bool = False) -> object:
    """By urllib3."""
    # With `strict`, urllib3 raises once its retries are used up, here at once.
    retries = urllib3.Retry(0, status=0, status_forcelist=range(400, 600)) if strict else False
    with urllib3.PoolManager() as pool:
        return pool.request("GET", url, timeout=patience(url), retries=retries)


def with_aiohttp(url: str, *, strict: bool = False) -> object:
    """By aiohttp."""

    async def get() -> object:
        timeout = aiohttp.ClientTimeout(total=patience(url))
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            if strict:
                response.raise_for_status()
            await response.read()
            return response

    return asyncio.run(get())


def with_urllib(url: str, *, strict: bool = True) -> object:
    """By urllib.request, which always raises."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=patience(url)) as response:
        response.read()
        return response


CLIENTS = [with_httpx, with_httpx2, with_requests, with_urllib3, with_aiohttp, with_urllib]
each_client = pytest.mark.parametrize("get", CLIENTS, ids=lambda get: get.__name__[5:])


def failure(call: Callable[[], object]) -> Exception:
    """What the call raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each client has its own
        call()
    close = getattr(caught.value, "close", None)
    if close is not None:
        close()
    return caught.value
