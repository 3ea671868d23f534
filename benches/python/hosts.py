"""Event loops that a race can take place in."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from .harness import Drive


@contextmanager
def on_asyncio() -> Iterator[Drive]:
    """The loop that comes with Python."""
    with asyncio.Runner() as runner:
        yield runner.get_loop().run_until_complete


@contextmanager
def on_uvloop() -> Iterator[Drive]:
    """The loop of many servers."""
    make = import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=make) as runner:
        yield runner.get_loop().run_until_complete


async def waiting(x: object) -> object:
    """Waits for a future that the loop completes in its next round."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, None)
    await future
    return x
