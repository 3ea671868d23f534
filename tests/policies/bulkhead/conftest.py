"""Those who run async functions, and what is seen of a bulkhead."""

import asyncio
import threading

import pytest
import seawall
import trio

from tests import hosts
from tests.threads import until


@pytest.fixture(params=hosts.HOSTS)
def run(request):
    """Runs an async function; on every host."""
    return hosts.HOSTS[request.param]


@pytest.fixture
def clock():
    """A clock that moves on by itself when everything waits."""
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


def counts(bulkhead, **key):
    """What became of its calls, zeroes left out; calls in flight and waiting among it."""
    seen = bulkhead.snapshot(**key)
    found = dict(seen.counts) | {"in_flight": seen.in_flight, "waiting": seen.waiting}
    return {what: count for what, count in found.items() if count}


@pytest.fixture(name="counts")
def counts_fixture():
    """`counts(bulkhead)`: what became of its calls."""
    return counts


class Together:
    """Tasks of asyncio or trio, begun in order."""

    def __init__(self, nursery=None):
        """In a nursery, or as tasks of asyncio's."""
        self._nursery = nursery
        self._tasks = []

    async def start(self, function, *args):
        """Begins a task, and lets it run until it waits."""
        if self._nursery is not None:
            self._nursery.start_soon(function, *args)
        else:
            self._tasks.append(asyncio.ensure_future(function(*args)))
        await turns()


class Group:
    """`async with Group() as together:` waits for all that was begun in it."""

    async def __aenter__(self):
        self._manager = None
        if trio.lowlevel.in_trio_task():
            self._manager = trio.open_nursery()
            self._together = Together(await self._manager.__aenter__())
        else:
            self._together = Together()
        return self._together

    async def __aexit__(self, *error):
        if self._manager is not None:
            return await self._manager.__aexit__(*error)
        await asyncio.gather(*self._together._tasks)
        return None


async def turns():
    """Lets all others run until they wait."""
    for _ in range(5):
        if trio.lowlevel.in_trio_task():
            await trio.lowlevel.checkpoint()
        else:
            await asyncio.sleep(0)


@pytest.fixture(name="turns")
def turns_fixture():
    """`await turns()` lets all others run until they wait."""
    return turns


@pytest.fixture
def group():
    """Entered, it gives what begins tasks, and waits for them when it is left."""
    return Group


class Crowd:
    """Threads that are waited for."""

    def __init__(self):
        """Without any."""
        self.threads = []

    def start(self, function, *args):
        """Begins one."""
        thread = threading.Thread(target=function, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def join(self):
        """Waits for all."""
        for thread in self.threads:
            thread.join(timeout=30)
            assert not thread.is_alive()


@pytest.fixture
def crowd():
    """Threads that have ended by the end of the test."""
    crowd = Crowd()
    yield crowd
    crowd.join()


@pytest.fixture(name="until")
def until_fixture():
    """`until(condition)` waits for real until something is true."""
    return until


class Line:
    """A bulkhead of one permit, for which calls wait long, and whom it has served."""

    def __init__(self):
        """Nobody yet."""
        self.bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
        self.served = []
        self.work = self.bulkhead(self._work)

    async def _work(self, number):
        self.served.append(number)


@pytest.fixture
def line():
    """A bulkhead of one permit, `line.work(number)` behind it, and whom it has `served`."""
    return Line()
