"""Those who run async functions, and the clock that deadlines go by in a test."""

import asyncio
import sys

import anyio
import pytest
import seawall
import trio
from seawall import _core


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
    return trio.run(main)


def on_anyio(main):
    """Runs in a task group of anyio's."""

    async def grouped():
        results = []

        async def task():
            results.append(await main())

        async with anyio.create_task_group() as group:
            group.start_soon(task)
        return results[0]

    return anyio.run(grouped)


LOOPS = {"asyncio": on_asyncio, "uvloop": on_uvloop, "anyio": on_anyio}
if sys.version_info >= (3, 12):
    LOOPS["eager"] = on_eager
HOSTS = {**LOOPS, "trio": on_trio}


@pytest.fixture(autouse=True)
def registry():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


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
    if not hasattr(_core.TestClock, "_call_at"):
        pytest.skip("a test's clock can't be asked to call")
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


@pytest.fixture
def told():
    """The events of the test."""
    with seawall.testing.record() as told:
        yield told


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
