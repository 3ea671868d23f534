"""The retry's benchmark: what is measured, in order."""

from benches.python.report import Picture
from benches.python.rooms import Room, grouped, scenarios

from . import attempts, success
from .bars import BARS
from .peers import PEERS

ROOM = Room(
    name="retry",
    distributions=["seawall", *(peer.name for peer in PEERS)],
    scenarios=scenarios([*success.RACES, *attempts.RACES]),
    bars=BARS,
    pictures={
        success.SYNC: Picture(
            "sync", "What a retry adds to a call that goes well", "nanoseconds over the bare call"
        ),
        success.ASYNC: Picture(
            "async", "What a retry adds to an await", "nanoseconds over the bare await"
        ),
        attempts.SYNC: Picture(
            "attempts",
            "A call that fails twice and then succeeds",
            "nanoseconds over three bare calls",
        ),
    },
    group=grouped(attempts.BY_HAND),
)
