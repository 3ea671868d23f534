"""No way through a timeout keeps anything alive: neither objects, nor references, nor memory."""

import asyncio
import contextlib
import contextvars
import gc
import weakref

import pytest
import seawall

from tests import hosts
from tests.hosts import pause
from tests.kept import Node, nothing_is_kept

ROUNDS = 2_000


class Paths:
    """Every way through a timeout; each method is run many times, in one task."""

    def __init__(self):
        """What is watched."""
        self.argument = object()
        self.timeout = seawall.Timeout(60)
        self.pooled = seawall.Timeout(60, pool="threads")
        self.stack = seawall.Pipeline("leaks", self.timeout, seawall.Retry(backoff=0))
        self.work = self.timeout(self._work)
        self.fails = self.timeout(self._fail)
        self.stacked = self.stack(self._fail)
        self.over = seawall.Timeout(1e-9)(self._wait)

    async def _work(self, waits, argument):
        if waits:
            await pause()
        return argument

    async def _fail(self, argument):
        await pause()
        raise ConnectionError(argument)

    async def _wait(self, argument):
        while True:
            await pause()

    async def straight(self):
        """Without a wait."""
        await self.work(False, self.argument)
        await pause()  # trio forgets scopes between two turns only

    async def waiting(self):
        """With one."""
        await self.work(True, self.argument)

    async def failing(self):
        """Left with an error, by one attempt and by several."""
        with contextlib.suppress(ConnectionError):
            await self.fails(self.argument)
        with contextlib.suppress(ConnectionError):
            await self.stacked(self.argument)

    async def timed_out(self):
        """Cancelled."""
        with contextlib.suppress(seawall.CallTimeoutError):
            await self.over(self.argument)

    async def adopted(self):
        """An awaitable that a plain function gave back, awaited and not."""
        await self.timeout(lambda: self._work(True, self.argument))()
        self.timeout(lambda: self._work(True, self.argument))().close()

    async def captured(self):
        """Outcomes."""
        assert (await self.timeout.try_call(self._work, True, self.argument)).ok
        assert not (await self.timeout.try_call(self._fail, self.argument)).ok

    async def plain(self):
        """Plain functions: in time, failing, giving up."""
        self.timeout.call(lambda: self.argument)
        with contextlib.suppress(KeyError):
            self.timeout.call(lambda: {}[self.argument])

    async def gives_up_inside(self):
        """A plain function that asks, and raises."""
        with contextlib.suppress(seawall.CallTimeoutError):
            seawall.Timeout(1e-9).call(seawall.deadline.check)

    async def in_a_thread(self):
        """A thread makes the call."""
        self.pooled.call(lambda argument: argument, self.argument)
        with contextlib.suppress(KeyError):
            self.pooled.call(lambda argument: {}[argument], self.argument)


class OfLoops(Paths):
    """Those that only loops of asyncio's have."""

    async def cancelled(self):
        """A task that is cancelled inside."""
        task = asyncio.create_task(self.work(True, self.argument))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def closed_and_dropped(self):
        """Closed, thrown into and dropped in the middle."""
        for end in ("close", "drop", "throw"):
            call = self.work(True, self.argument)
            call.send(None)
            if end == "close":
                call.close()
            elif end == "throw":
                with contextlib.suppress(KeyError):
                    call.throw(KeyError())

    async def given_back_futures(self):
        """A future that a plain function gave back."""
        future = asyncio.get_running_loop().create_future()
        call = self.timeout(lambda: future)()
        future.set_result(self.argument)
        await call


def names(paths):
    """The ways of a class."""
    return [name for name, it in vars(paths).items() if not name.startswith("_") and it.__doc__]


CASES = [(hosts.on_asyncio, name) for paths in (Paths, OfLoops) for name in names(paths)]
CASES += [(hosts.on_trio, name) for name in names(Paths)]


@pytest.mark.parametrize(("run", "path"), CASES)
@pytest.mark.filterwarnings("ignore::seawall.BlockingWaitWarning")
def test_nothing_is_kept(run, path):
    """Counts of references, of tracked objects and of traced memory stay as they were."""
    paths = OfLoops()
    watched = [paths.argument, None, seawall.CallTimeoutError, seawall._core.Deadline]
    # At the pace of the machine's clock, if it is to be over.
    rounds = 300 if path == "timed_out" else ROUNDS
    run(lambda: nothing_is_kept(getattr(paths, path), watched, rounds=rounds))
    assert paths.timeout.snapshot().in_flight == paths.pooled.snapshot().in_flight == 0


@pytest.mark.parametrize("testing", [True, False])
def test_a_cycle_through_a_call(testing):
    """A task that waits under a timeout, and that its own context refers to, is collected."""
    variable = contextvars.ContextVar("variable")
    timeout = seawall.Timeout(60)

    def life():
        node = Node()

        @timeout
        async def work():
            variable.set(node)
            node.waits = asyncio.get_running_loop().create_future()
            await node.waits

        with seawall.testing.clock() if testing else contextlib.nullcontext():
            node.call = work()
            node.task = hosts.abandoned(node.call)
        return weakref.ref(node)

    node = life()
    gc.collect()
    assert node() is None
    assert timeout.snapshot().in_flight == 0


def test_a_cycle_through_a_listener():
    """A timeout that a listener of its own refers to is collected, with threads and without."""
    for settings in ({}, {"pool": "threads"}):
        node = Node()
        node.timeout = seawall.Timeout(60, on_event=lambda event, node=node: node, **settings)
        node.work = node.timeout(lambda: None)
        node.work()
        watch = weakref.ref(node)
        del node
        gc.collect()
        assert watch() is None
