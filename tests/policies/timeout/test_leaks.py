"""No way through a deadline keeps anything alive: neither objects, nor references, nor memory."""

import asyncio
import contextlib
import contextvars
import gc
import weakref

import pytest
import seawall
from seawall.policies.timeout import Pool

from tests import hosts
from tests.hosts import pause
from tests.kept import Node, nothing_is_kept

ROUNDS = 3_000


class Paths:
    """Every way through a deadline; each method is run many times, in one task."""

    def __init__(self):
        """What is watched."""
        self.argument = object()
        self.pool = Pool("leaks")

    async def in_time(self):
        """Armed and taken off."""
        async with seawall.deadline(60, name="leaks"):
            await pause()

    async def cooperative(self):
        """Not armed at all, and looked at."""
        with seawall.deadline(60), seawall.deadline(30):
            seawall.remaining()
            seawall.deadline.check()

    async def passed(self):
        """Cancelled."""
        with contextlib.suppress(seawall.DeadlineExceededError):
            async with seawall.deadline(0):
                while True:
                    await pause()

    async def failed(self):
        """Left with an error."""
        with contextlib.suppress(KeyError):
            async with seawall.deadline(60):
                await pause()  # trio forgets scopes between two turns only
                raise KeyError(self.argument)

    async def nested(self):
        """One in the other, shielded and detached."""
        async with seawall.deadline(60):
            async with seawall.deadline(30):
                async with seawall.deadline.shield():
                    await pause()
                with seawall.deadline.detach():
                    await pause()

    async def carried(self):
        """A context is kept and run in."""
        with seawall.deadline(60):
            seawall.carried(seawall.remaining)()

    async def pooled(self):
        """A thread makes the call."""
        self.pool.run(lambda argument=self.argument: argument, 60)
        with contextlib.suppress(KeyError):
            self.pool.run(lambda: {}[self.argument], 60)


class OfLoops(Paths):
    """Those that only loops of asyncio's have."""

    async def tasks(self):
        """Inherited by a task that outlives the block."""
        with seawall.deadline(60):
            task = asyncio.create_task(self.in_time())
        await task

    async def thrown_away(self):
        """Closed in the middle."""
        steps = self.in_time()
        steps.send(None)
        steps.close()

    async def dropped(self):
        """A task that is cancelled inside of the block."""
        task = asyncio.create_task(self.in_time())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def names(paths):
    """The ways of a class."""
    return [name for name in dir(paths) if not name.startswith("_")]


CASES = [(hosts.on_asyncio, name) for name in names(OfLoops)]
CASES += [(hosts.on_trio, name) for name in names(Paths)]


@pytest.mark.parametrize(("run", "path"), CASES)
@pytest.mark.filterwarnings("ignore::seawall.BlockingWaitWarning")
def test_nothing_is_kept(run, path):
    """Counts of references, of tracked objects and of traced memory stay as they were."""
    paths = OfLoops()
    watched = [paths.argument, None, seawall.DeadlineExceededError, seawall._core.Deadline]
    # At the pace of the machine's clock, if it is to pass.
    rounds = 300 if path == "passed" else ROUNDS
    run(lambda: nothing_is_kept(getattr(paths, path), watched, rounds=rounds))


@pytest.mark.parametrize("testing", [True, False])
def test_a_cycle_through_a_block(testing):
    """A block inside of which a task waits that its own context refers to is collected."""
    variable = contextvars.ContextVar("variable")

    def life():
        node = Node()

        async def work():
            variable.set(node)
            async with seawall.deadline(60, name=node):
                node.waits = asyncio.get_running_loop().create_future()
                await node.waits

        with seawall.testing.clock() if testing else contextlib.nullcontext():
            node.task = hosts.abandoned(work())
        return weakref.ref(node)

    node = life()
    gc.collect()
    assert node() is None
