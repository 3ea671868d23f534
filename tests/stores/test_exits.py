"""Interpreters that end while stores are asked: none of them aborts or hangs."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

#: Each of these leaves operations in flight and ends. Forked off a parent that has used the store,
#: and really ended: the interpreter is torn down as at the end of every program.
PROGRAM = """
import asyncio, collections, os, signal, sys, threading
import seawall, trio
from seawall._core import Op, Terms
from tests.stores.holding import Holder

path, options, times, first = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = seawall.open_store(f"sqlite:///{path}?{options}", timeout=3600)
store.stats()
holder = Holder(path) if "busy_timeout" in options else None
TERMS = Terms()

def claim(key):
    return Op.claim(store.address("exit", key.encode()), TERMS)

def work(number):
    for n in range(10**9):
        store.call(claim(f"{number}-{n}"))

async def awork(number):
    for n in range(10**9):
        await store.answer(claim(f"{number}-{n}"))

async def begun(number):
    tasks = [asyncio.create_task(awork(f"{number}-{t}")) for t in range(3)]
    await asyncio.sleep(0)
    return tasks

def in_threads(number):
    for t in range(3):
        threading.Thread(target=work, args=(f"{number}-{t}",), daemon=True).start()

def in_a_loop_that_is_left(number):
    global loop, tasks
    loop = asyncio.new_event_loop()
    tasks = loop.run_until_complete(begun(number))
    for task in tasks:
        task._log_destroy_pending = False

def in_a_loop_of_a_daemon(number):
    global tasks, started
    started = threading.Event()
    def run():
        async def main():
            global tasks
            tasks = await begun(number)
            started.set()
            await asyncio.gather(*tasks)
        asyncio.run(main())
    threading.Thread(target=run, daemon=True).start()
    started.wait()

def in_a_loop_that_exits(number):
    async def main():
        tasks = await begun(number)
        sys.exit(0)
    asyncio.run(main())

def in_trio_that_exits(number):
    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(awork, number)
            await trio.lowlevel.checkpoint()
            sys.exit(0)
    try:
        trio.run(main)
    except* SystemExit:
        pass

def never_taken(number):
    global kept
    kept = [store._native.submit(claim(f"{number}-{n}")) for n in range(50)]

KINDS = [in_threads, in_a_loop_that_is_left, in_a_loop_of_a_daemon, in_a_loop_that_exits,
         in_trio_that_exits, never_taken]
ended = collections.Counter()
for number in range(first, first + times):
    kind = KINDS[number % len(KINDS)]
    process = os.fork()
    if process == 0:
        # One that hangs is ended by the kernel, and counted as such.
        signal.alarm(30)
        kind(number)
        break
    _, status = os.waitpid(process, 0)
    ended[kind.__name__, os.waitstatus_to_exitcode(status)] += 1
else:
    if holder is not None:
        holder.end()
    bad = {f"{kind} {code}": number for (kind, code), number in ended.items() if code != 0}
    print(bad, flush=True)
"""


def exits(path, options, times, first):
    """How those that did not end well ended."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, path, options, str(times), str(first)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr[-2000:]


TIMES = int(os.environ.get("SEAWALL_EXITS", "1000"))


@pytest.mark.timeout(max(900, TIMES))
def test_a_thousand_exits_with_operations_in_flight(tmp_path):
    """Threads, loops and runs that end in the middle of a question: no abort, no hang, no error.

    A third of them while another process holds the file, so that nothing is answered at all.
    """
    paths = [tmp_path / "full.db", tmp_path / "relaxed.db", tmp_path / "busy.db"]
    options = ["", "durability=relaxed", "busy_timeout=3600"]
    share = TIMES // 3
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(exits, paths, options, [share, share, TIMES - 2 * share], range(3)))
    assert ended == [(0, "{}", "")] * 3
