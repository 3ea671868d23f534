"""Those who run async functions, each in its own way."""

import pytest

from tests import hosts


@pytest.fixture(params=hosts.HOSTS)
def run(request):
    """Runs an async function; on every host."""
    return hosts.HOSTS[request.param]


@pytest.fixture(params=hosts.LOOPS)
def loop_run(request):
    """Runs an async function; on every host that is a loop of asyncio's."""
    return hosts.LOOPS[request.param]
