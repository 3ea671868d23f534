"""The hedge's benchmark: what is measured, in order."""

from benches.python.report import Picture
from benches.python.rooms import Room, grouped, scenarios

from . import calls
from .bars import BARS

ROOM = Room(
    name="hedge",
    distributions=["seawall", "uvloop"],
    scenarios=scenarios(calls.RACES),
    bars=BARS,
    pictures={
        calls.WAITING: Picture(
            "waiting",
            "What a hedge adds to an await that is answered in time",
            "nanoseconds over the bare await",
        ),
    },
    group=grouped(calls.TASK, calls.WAIT_FOR, calls.WAIT, calls.EXECUTOR),
)
