"""Those who run async functions, each in its own way."""

import asyncio
import sys

import pytest


def on_asyncio(main):
    """Runs on asyncio's own loop."""
    return asyncio.run(main())


def on_eager(main):
    """Runs on asyncio's own loop with tasks that begin when they are made."""

    async def eagerly():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        return await asyncio.create_task(main())

    return asyncio.run(eagerly())


def on_uvloop(main):
    """Runs on uvloop."""
    return pytest.importorskip("uvloop").run(main())


def on_trio(main):
    """Runs on trio."""
    return pytest.importorskip("trio").run(main)


HOSTS = {
    "asyncio": on_asyncio,
    "uvloop": on_uvloop,
    "trio": on_trio,
}
if sys.version_info >= (3, 12):
    HOSTS["eager"] = on_eager


@pytest.fixture(params=HOSTS)
def run(request):
    """Runs an async function; on every host."""
    pytest.importorskip("trio.testing")
    return HOSTS[request.param]


@pytest.fixture(params=[host for host in HOSTS if host != "trio"])
def loop_run(request):
    """Runs an async function; on every host that is a loop of asyncio's."""
    return HOSTS[request.param]
