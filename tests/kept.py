"""What a great many calls leave behind: nothing, and whatever does is found out."""

import gc
import itertools
import sys
import threading
import tracemalloc

import trio
import trio.lowlevel


def forget_scopes():
    """Trio forgets the deadlines of scopes that were left only when there are a thousand."""
    if trio.lowlevel.in_trio_run():
        trio._core._run.GLOBAL_RUN_CONTEXT.runner.deadlines._prune()


async def nothing_is_kept(go, watched, *, rounds, stretch=300, stretches=6):
    """Counts of references, of tracked objects and of traced memory stay as they were.

    `go` is awaited for so many rounds while references to what is `watched` are counted, and then
    for so many stretches of rounds while memory is traced, which is far slower.
    """

    def measure():
        forget_scopes()
        gc.collect()
        return [sys.getrefcount(one) for one in watched], len(gc.get_objects())

    # Caches and free lists fill.
    for _ in range(min(300, rounds // 3)):
        await go()
    # A thread of an earlier test's pool, idle for its ten seconds, takes along what it held when it
    # ends. Whatever came or went meanwhile, it is counted once more.
    for _ in range(5):
        alive = threading.enumerate()
        before, objects = measure()
        for _ in range(rounds):
            await go()
        after, objects_after = measure()
        if threading.enumerate() == alive:
            break
    grown = [late - early for early, late in zip(before, after, strict=True)]
    assert max(map(abs, grown)) < 20, grown
    assert objects_after - objects < 20, objects_after - objects
    tracemalloc.start()
    try:
        for _ in range(100):
            await go()
        traced = []
        for _ in range(stretches):
            forget_scopes()
            gc.collect()
            traced.append(tracemalloc.get_traced_memory()[0])
            for _ in range(stretch):
                await go()
    finally:
        tracemalloc.stop()
    # What leaks does so in every stretch; a table that doubles in one, and what was there before it
    # was traced, and is replaced bit by bit, in the first few.
    assert min(late - early for early, late in itertools.pairwise(traced)) < 4000, traced


def resident():
    """How many bytes of the machine's memory this process has; of Linux."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123
        return int(pages.read().split()[1]) * 4096


class Node:
    """Something that can be in a cycle and be watched."""
