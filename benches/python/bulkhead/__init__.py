"""The bulkhead's benchmark: what is measured, in order."""

from benches.python.report import Picture
from benches.python.rooms import Room, grouped, scenarios

from . import calls, ours, waiting
from .bars import BARS

ROOM = Room(
    name="bulkhead",
    distributions=["seawall", "hyx", "pyresilience"],
    scenarios={
        **scenarios([*calls.RACES, *waiting.RACES]),
        waiting.THREADS: waiting.threads,
    },
    bars=BARS,
    pictures={
        calls.SYNC: Picture(
            "sync", "What a bulkhead adds to a call", "nanoseconds over the bare call"
        ),
        calls.BLOCK: Picture(
            "block", "What `with` adds to a call", "nanoseconds over the bare call"
        ),
        calls.BLOCK_ASYNC: Picture(
            "async", "What `async with` adds to an await", "nanoseconds over the bare await"
        ),
        waiting.TASKS: Picture(
            "tasks",
            f"{waiting.CROWD} tasks, {waiting.PLACES} permits",
            "nanoseconds over the crowd without a limit",
            digits=0,
        ),
    },
    group=grouped(
        ours.LOCK,
        ours.SEMAPHORE,
        ours.BOUNDED,
        ours.ASYNC_LOCK,
        ours.ASYNC_SEMAPHORE,
        ours.TIMED_SEMAPHORE,
    ),
)
