"""Waiting of threads: by `time.sleep`, whatever that is here, and never in silence on a loop."""

import asyncio
import threading
import time
import warnings

import pytest
import seawall
import trio
from seawall import waiting

from tests.children import child


def test_it_blocks_for_so_long():
    """A thread that nothing runs in sleeps for the seconds that it is given."""
    begun = time.monotonic()
    waiting.sleep(0.02)
    assert time.monotonic() - begun >= 0.02


@pytest.mark.parametrize("seconds", [0, -0.0, -1, -1e300])
def test_nothing_left_is_a_turn_for_others(seconds, monkeypatch):
    """Zero and less is not refused as `time.sleep` refuses it: it hands the turn on."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    waiting.sleep(seconds)
    assert slept == [0]


def test_no_number_is_refused():
    """A time that is not a number is a mistake, of threads and of tasks."""
    with pytest.raises(ValueError, match="NaN"):
        waiting.sleep(float("nan"))

    async def main():
        with pytest.raises(ValueError, match="not a number"):
            await waiting.asleep(float("nan"))

    asyncio.run(main())


def test_what_took_the_place_of_sleep_is_used(monkeypatch):
    """`time.sleep` is looked up at each wait, so a patch that comes late counts."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    waiting.sleep(1000)
    assert slept == [1000]


def test_interrupt_ends_it():
    """Ctrl-C, which is a signal, ends a wait of an hour at once, as KeyboardInterrupt."""
    code = """
import os, signal, threading, time
from seawall import waiting
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
begun = time.monotonic()
try:
    waiting.sleep(3600)
except KeyboardInterrupt:
    print(time.monotonic() - begun < 30)
"""
    assert child(code) == (0, "True", "")


def test_other_signals_do_not():
    """A signal whose handler returns does not cut a wait short."""
    code = """
import os, signal, threading, time
from seawall import waiting
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
begun = time.monotonic()
waiting.sleep(0.3)
print(heard == [1] and time.monotonic() - begun >= 0.3)
"""
    assert child(code) == (0, "True", "")


def test_gevent_waits_in_its_own_way():
    """Where gevent has patched `time`, a waiting greenlet lets the others go on."""
    code = """
from seawall import waiting
from gevent import monkey; monkey.patch_all()
import gevent
order = []
def work(name, seconds):
    waiting.sleep(seconds)
    order.append(name)
gevent.joinall([gevent.spawn(work, "b", 0.2), gevent.spawn(work, "a", 0.1)])
print("".join(order))
"""
    status, printed, errors = child(code)
    assert (status, printed) == (0, "ab"), errors


def test_greenlets_share_a_clock():
    """With gevent's patches, greenlets sleep by a test's clock, and one of them moves it."""
    code = """
from gevent import monkey; monkey.patch_all()
import gevent, contextvars
from seawall import testing, waiting
order = []
def work(name, seconds):
    waiting.sleep(seconds)
    order.append((name, clock.elapsed))
with testing.clock() as clock:
    lets = [
        gevent.spawn(contextvars.copy_context().run, work, name, seconds)
        for name, seconds in [("b", 20), ("a", 10)]
    ]
    while clock.sleeping < 2:
        gevent.sleep(0)
    clock.advance(30)
    gevent.joinall(lets)
print(order)
"""
    status, printed, errors = child(code)
    assert (status, printed) == (0, "[('a', 10.0), ('b', 20.0)]"), errors


def blocked(who=None):
    """A wait, in a line of its own."""
    waiting.sleep(0, who)


def test_a_running_loop_is_told_of():
    """Blocking a thread that runs asyncio warns, names who waits, and blames the user's line."""

    async def main():
        with pytest.warns(seawall.BlockingWaitWarning, match="retry 'shop'.*asyncio") as told:
            blocked("retry 'shop'")
        return told

    [warning] = asyncio.run(main())
    assert warning.filename == __file__
    assert issubclass(warning.category, RuntimeWarning)


def test_trio_is_told_of():
    """Blocking a thread that runs trio warns as well."""

    async def main():
        with pytest.warns(seawall.BlockingWaitWarning, match="trio"):
            blocked()

    trio.run(main)


def test_it_is_told_once():
    """A line that waits again and again warns once for each policy, as Python's warnings do."""

    async def main():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("default")
            for who in ["retry 'a'", "retry 'b'"] * 5:
                blocked(who)
        return [str(one.message).split(" waits")[0] for one in told]

    assert asyncio.run(main()) == ["retry 'a'", "retry 'b'"]


def test_a_thread_beside_the_loop_waits_in_silence():
    """What runs in a worker thread blocks no loop: asyncio's and trio's workers are not warned."""

    async def main():
        await asyncio.to_thread(blocked)

    async def trio_main():
        await trio.to_thread.run_sync(blocked)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
        trio.run(trio_main)
        blocked()


def test_nothing_is_imported_to_wait():
    """A wait of a thread loads neither asyncio nor trio nor the testing ground."""
    code = """
import sys
from seawall import waiting
waiting.sleep(0.001)
print([name for name in ("asyncio", "trio", "threading", "seawall.testing") if name in sys.modules])
"""
    assert child(code)[:2] == (0, "[]")


def test_threads_wait_side_by_side():
    """A waiting thread holds nothing that another needs."""
    threads = [threading.Thread(target=waiting.sleep, args=(0.5,)) for _ in range(20)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun < 5
