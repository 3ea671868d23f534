"""Those who run async functions, and the clock that deadlines go by in a test."""

import asyncio

import pytest
import seawall
import trio

from tests import hosts

LOOPS = {**hosts.LOOPS, "anyio": hosts.on_anyio_group}
HOSTS = {**LOOPS, "trio": hosts.on_trio}


@pytest.fixture(params=HOSTS)
def run(request):
    """Runs an async function; on every host."""
    return HOSTS[request.param]


@pytest.fixture(params=LOOPS)
def loop_run(request):
    """Runs an async function; on every host that is a loop of asyncio's."""
    return LOOPS[request.param]


@pytest.fixture
def clock():
    """A clock that moves on by itself when everything waits."""
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


async def forever():
    """Waits until it is cancelled."""
    if trio.lowlevel.in_trio_task():
        await trio.sleep_forever()
    else:
        await asyncio.get_running_loop().create_future()


@pytest.fixture(name="forever")
def forever_fixture():
    """`await forever()` waits until it is cancelled."""
    return forever


def counts(timeout):
    """What became of a timeout's calls, zeroes left out; calls in flight among it."""
    seen = timeout.snapshot()
    found = {what: count for what, count in seen.counts.items() if count}
    return found | ({"in_flight": seen.in_flight} if seen.in_flight else {})


@pytest.fixture(name="counts")
def counts_fixture():
    """`counts(timeout)`: what became of its calls."""
    return counts


def cancelling():
    """How many have asked for the cancellation of this task; none under trio."""
    task = None if trio.lowlevel.in_trio_task() else asyncio.current_task()
    return 0 if task is None else task.cancelling()


@pytest.fixture(name="cancelling")
def cancelling_fixture():
    """`cancelling()`: how many have asked for the cancellation of this task."""
    return cancelling


#: What a cancelled task of either host is raised.
CANCELLATIONS = (asyncio.CancelledError, trio.Cancelled)


@pytest.fixture
def cancellations():
    """What a cancelled task of either host is raised."""
    return CANCELLATIONS
