"""The timeout's benchmark: what is measured, in order."""

from benches.python.report import Picture
from benches.python.rooms import Room, grouped, scenarios

from . import calls
from .bars import BARS

ROOM = Room(
    name="timeout",
    distributions=["seawall", "uvloop", "hyx", "pyresilience"],
    scenarios=scenarios(calls.RACES),
    bars=BARS,
    pictures={
        calls.WAITING: Picture(
            "waiting",
            "What a timeout adds to an await that suspends",
            "nanoseconds over the bare await",
        ),
        calls.THREADS: Picture(
            "threads",
            "A call in another thread, and waiting for it",
            "nanoseconds over the bare call",
        ),
    },
    group=grouped(calls.VARIABLE, calls.BLOCK, calls.WAIT_FOR, calls.EXECUTOR),
)
