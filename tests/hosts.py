"""Who runs async functions: each of these takes one, runs it, and answers with its result.

`uvloop` isn't made for Windows and eager tasks came with Python 3.12: they stand in the lists where
they can be had.
"""

import asyncio
import sys

import anyio
import trio


def on_asyncio(main):
    """Runs on asyncio's own loop."""
    return asyncio.run(main())


def on_debugged(main):
    """Runs on asyncio's own loop in its debug mode."""
    return asyncio.run(main(), debug=True)


def on_eager(main):
    """Runs on asyncio's own loop with tasks that begin when they are made."""

    async def eagerly():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        return await asyncio.create_task(main())

    return asyncio.run(eagerly())


def on_uvloop(main):
    """Runs on uvloop."""
    import uvloop

    return uvloop.run(main())


def on_trio(main):
    """Runs on trio."""
    return trio.run(main)


def on_anyio(main):
    """Runs on anyio over asyncio."""
    return anyio.run(main, backend="asyncio")


def on_anyio_over_trio(main):
    """Runs on anyio over trio."""
    return anyio.run(main, backend="trio")


def on_anyio_group(main):
    """Runs in a task group of anyio's."""

    async def grouped():
        results = []

        async def task():
            results.append(await main())

        async with anyio.create_task_group() as group:
            group.start_soon(task)
        return results[0]

    return anyio.run(grouped)


#: Those that are loops of asyncio's.
LOOPS = {"asyncio": on_asyncio}
if sys.platform != "win32":
    LOOPS["uvloop"] = on_uvloop
if sys.version_info >= (3, 12):
    LOOPS["eager"] = on_eager

#: Those, and trio.
HOSTS = {**LOOPS, "trio": on_trio}


async def pause():
    """Lets others have a turn, whoever runs this."""
    if trio.lowlevel.in_trio_task():
        await trio.lowlevel.checkpoint()
    else:
        await asyncio.sleep(0)


def abandoned(coroutine):
    """A task that has begun in a loop of asyncio's, which was closed then: nobody runs it."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(coroutine)
    task._log_destroy_pending = False
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    return task
