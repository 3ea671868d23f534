"""Those who run async functions, services that answer by a script, and what is seen of a hedge."""

import asyncio
import sys
import threading

import pytest
import seawall
import seawall.waiting
import trio
import uvloop


def on_asyncio(main):
    """Runs on asyncio's own loop."""
    return asyncio.run(main())


def on_uvloop(main):
    """Runs on uvloop."""
    return uvloop.run(main())


def on_eager(main):
    """Runs on asyncio's own loop, whose tasks begin where they are made."""

    async def eagerly():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        return await main()

    return asyncio.run(eagerly())


HOSTS = {"asyncio": on_asyncio, "uvloop": on_uvloop, "trio": trio.run}
if sys.version_info >= (3, 12):
    HOSTS["eager"] = on_eager


def in_thread(main):
    """Runs an async function that never waits, as a plain one."""
    coroutine = main()
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a plain function waited as a task does")


@pytest.fixture(autouse=True)
def registry():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


@pytest.fixture(params=HOSTS)
def run(request):
    """Runs an async function; on every host."""
    return HOSTS[request.param]


@pytest.fixture
def clock(request):
    """A clock that moves on by itself when everything waits.

    Of threads that is known as soon as all sleep by it. On a busy machine one that has just begun
    may not get that far for long: so the grace, which nobody else waits for, is long.
    """
    params = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    tasks = {params.get("run"), params.get("way")} & set(HOSTS)
    with seawall.testing.clock(autojump=True, grace=0.02 if tasks else 1.0) as clock:
        yield clock


@pytest.fixture
def told():
    """The events of the test."""
    with seawall.testing.record() as told:
        yield told


class Service:
    """Answers by a script: of each call, how long it takes, and what it raises or returns.

    The last entry holds for all further calls. It knows who began, who ended and how.
    """

    def __init__(self, *script):
        """Each: seconds, or seconds and an exception or value."""
        self.script = [entry if isinstance(entry, tuple) else (entry, None) for entry in script]
        self.begun = 0
        self.ended = []
        self.cancelled = []
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def _begin(self):
        with self._lock:
            number = self.begun
            self.begun += 1
            self.running += 1
            self.most = max(self.most, self.running)
        seconds, what = self.script[min(number, len(self.script) - 1)]
        return number, seconds, what

    def _end(self, number, what):
        self.ended.append(number)
        if isinstance(what, BaseException):
            raise what
        return number if what is None else what

    async def aanswer(self, *args, **kwargs):
        """As a coroutine function."""
        number, seconds, what = self._begin()
        try:
            if seconds is not None:
                await seawall.waiting.asleep(seconds)
            return self._end(number, what)
        except (asyncio.CancelledError, trio.Cancelled):
            self.cancelled.append(number)
            raise
        finally:
            self.running -= 1

    def answer(self, *args, **kwargs):
        """As a plain function."""
        number, seconds, what = self._begin()
        try:
            if seconds is not None:
                seawall.waiting.sleep(seconds)
            return self._end(number, what)
        finally:
            with self._lock:
                self.running -= 1


@pytest.fixture
def service():
    """`service(script…)`: what answers by a script."""
    return Service


class Way:
    """A way to make calls: by a host of tasks, or in threads."""

    def __init__(self, name):
        """One of `HOSTS`, or "threads"."""
        self.name = name
        self.threads = name == "threads"

    def of(self, service):
        """The function to protect."""
        return service.answer if self.threads else service.aanswer

    def call(self, function, *args):
        """What a call comes to."""
        return self.run(lambda: function(*args))

    def run(self, make):
        """What comes of what ``make`` gives."""
        if self.threads:
            return make()

        async def main():
            return await make()

        return HOSTS[self.name](main)


@pytest.fixture(params=[*HOSTS, "threads"])
def way(request):
    """Each way to make calls."""
    return Way(request.param)


def counts(hedge):
    """What became of its calls, zeroes left out; calls in flight and losers among it."""
    seen = hedge.snapshot()
    found = dict(seen.counts) | {"in_flight": seen.in_flight, "losers": seen.losers}
    return {what: count for what, count in found.items() if count}


@pytest.fixture(name="counts")
def counts_fixture():
    """`counts(hedge)`: what became of its calls."""
    return counts


async def turns():
    """Lets all others run until they wait."""
    for _ in range(8):
        if trio.lowlevel.in_trio_task():
            await trio.lowlevel.checkpoint()
        else:
            await asyncio.sleep(0)


@pytest.fixture(name="turns")
def turns_fixture():
    """`await turns()` lets all others run until they wait."""
    return turns
