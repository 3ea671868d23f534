"""The rate limit's benchmark: what is measured, in order."""

from benches.python.report import Picture
from benches.python.rooms import Room, grouped, scenarios

from . import calls, waiting
from .bars import BARS

ROOM = Room(
    name="rate_limit",
    distributions=[
        "seawall",
        "aiolimiter",
        "hyx",
        "limits",
        "pyrate-limiter",
        "pyresilience",
        "throttled-py",
    ],
    scenarios={
        **scenarios(calls.RACES),
        waiting.TASKS: waiting.tasks,
        waiting.THREADS: waiting.threads,
    },
    bars=BARS,
    pictures={
        calls.SYNC: Picture(
            "sync", "What a rate limit adds to a call", "nanoseconds over the bare call", start=10
        ),
        calls.ASYNC: Picture(
            "async", "What a rate limit adds to an await", "nanoseconds over the bare await"
        ),
        waiting.TASKS: Picture(
            "tasks", "Tasks that wait for their turn", "microseconds of the processor a call"
        ),
    },
    group=grouped(),
)
