"""Who runs the calls of a history, cancels them, and runs others beside them."""

import asyncio
import contextlib

import trio
import trio.testing


class OnAsyncio:
    """Tasks of asyncio's."""

    def __init__(self):
        """Nobody has asked for a cancellation."""
        self._asked = 0

    @staticmethod
    def run(function, *args, **kwargs):
        """Runs an async function to its end."""
        return asyncio.run(function(*args, **kwargs))

    @staticmethod
    def turn():
        """Lets others have a turn."""
        return asyncio.sleep(0)

    def cancel(self):
        """Cancels the task it is called in."""
        self._asked += 1
        asyncio.current_task().cancel()

    async def bounded(self, run, case, at, act):
        """The call of a case; no cancellation is left of it but one that was asked for."""
        task, self._asked = asyncio.current_task(), 0
        turns = await run(case, at, self.cancel if act == "cancel" else act)
        assert task.cancelling() == self._asked, (case.guard, at, act)
        while task.uncancel():
            pass
        return turns

    @staticmethod
    @contextlib.asynccontextmanager
    async def beside(coroutines):
        """Begins others, and waits for them at the end."""
        tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
        if tasks:
            await asyncio.sleep(0)
        yield
        await asyncio.gather(*tasks)


class OnTrio:
    """Tasks of trio's, cancelled by its scopes."""

    def __init__(self):
        """Without a scope yet."""
        self._scope = None

    @staticmethod
    def run(function, *args, **kwargs):
        """Runs an async function to its end."""

        async def main():
            return await function(*args, **kwargs)

        return trio.run(main)

    #: Lets others have a turn.
    turn = staticmethod(trio.lowlevel.checkpoint)

    def cancel(self):
        """Cancels the call that runs."""
        self._scope.cancel()

    async def bounded(self, run, case, at, act):
        """The call of a case, in a scope of its own."""
        with trio.CancelScope() as self._scope:
            return await run(case, at, self.cancel if act == "cancel" else act)

    @staticmethod
    @contextlib.asynccontextmanager
    async def beside(coroutines):
        """Begins others, and waits for them at the end."""
        async with trio.open_nursery() as nursery:
            begun = False
            for coroutine in coroutines:
                nursery.start_soon(lambda coroutine=coroutine: coroutine)
                begun = True
            if begun:
                await trio.testing.wait_all_tasks_blocked()
            yield


HOSTS = {"asyncio": OnAsyncio, "trio": OnTrio}
