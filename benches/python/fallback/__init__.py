"""The fallback's benchmark: what is measured, in order."""

from benches.python.report import Picture
from benches.python.rooms import Room, grouped, scenarios

from . import calls
from .bars import BARS

ROOM = Room(
    name="fallback",
    distributions=["seawall"],
    scenarios=scenarios(calls.RACES),
    bars=BARS,
    pictures={
        calls.SYNC: Picture(
            "sync",
            "What a fallback adds to a call that goes well",
            "nanoseconds over the bare call",
        ),
        calls.FAILS: Picture(
            "fails",
            "A call that fails and is answered for",
            "nanoseconds over a bare call and its except",
        ),
    },
    group=grouped(calls.BY_HAND, calls.BY_HAND_CALL),
)
