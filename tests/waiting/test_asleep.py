"""Waiting of tasks: by the sleep of whoever runs them."""

import asyncio
import time

import anyio
import pytest
import trio
from seawall import waiting

from tests import hosts
from tests.children import printed

HOSTS = {
    **hosts.HOSTS,
    "anyio": hosts.on_anyio,
    "anyio over trio": hosts.on_anyio_over_trio,
}


@pytest.fixture(params=HOSTS)
def run(request):
    """Runs an async function under each host."""
    return HOSTS[request.param]


def test_it_sleeps_for_so_long(run):
    """A task sleeps for the seconds that it is given."""

    async def main():
        begun = time.monotonic()
        await waiting.asleep(0.02)
        return time.monotonic() - begun

    assert 0.019 <= run(main) < 5


@pytest.mark.parametrize("seconds", [0, -1, -1e300])
def test_nothing_left_is_a_turn_for_others(run, seconds):
    """Zero and less lets the other tasks have a turn, and refuses nothing."""
    order = []

    async def other():
        order.append("other")

    async def main():
        async with anyio.create_task_group() as group:
            group.start_soon(other)
            await waiting.asleep(seconds)
            await waiting.asleep(seconds)
            order.append("main")

    run(main)
    assert order == ["other", "main"]


def test_it_is_cancelled_like_any_sleep(run):
    """A cancelled sleep of an hour ends at once, and the cancellation goes on its way."""

    async def main():
        with anyio.move_on_after(0.01) as scope:
            await waiting.asleep(3600)
        return scope.cancelled_caught

    assert run(main)


def test_nobody_runs_it():
    """Without asyncio or trio it says so, at the call."""
    with pytest.raises(RuntimeError, match="neither asyncio nor trio runs this code"):
        waiting.asleep(1)


def test_trio_has_the_word_in_a_guest_run():
    """Where trio is a guest of asyncio's, each task sleeps by the one that runs it."""

    async def guest():
        await waiting.asleep(0.01)
        return trio.lowlevel.in_trio_task()

    async def main():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        got = []

        def end(outcome):
            got.append(outcome.unwrap())
            done.set()

        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=end
        )
        await waiting.asleep(0.001)
        await done.wait()
        return got

    assert asyncio.run(main()) == [True]


def test_nothing_is_imported_to_ask():
    """Asked where nothing runs, it refuses without loading asyncio or trio."""
    code = """
import sys
from seawall import waiting
try:
    waiting.asleep(1)
except RuntimeError:
    print([name for name in ("asyncio", "trio", "sniffio") if name in sys.modules])
"""
    assert printed(code) == "[]"
