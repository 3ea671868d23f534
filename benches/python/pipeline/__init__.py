"""The pipeline's benchmark: policies fused into one plan, against stacks of decorators."""

from benches.python.report import Picture
from benches.python.rooms import Room, grouped, scenarios

from . import calls
from .bars import BARS

ROOM = Room(
    name="pipeline",
    distributions=["seawall", "tenacity", "pybreaker", "circuitbreaker", "stamina", "pyresilience"],
    scenarios=scenarios(calls.RACES),
    bars=BARS,
    pictures={
        calls.SYNC: Picture(
            "sync", "What a stack of policies adds to a call", "nanoseconds over the bare call"
        ),
        calls.ASYNC: Picture(
            "async", "What a stack of policies adds to an await", "nanoseconds over the bare await"
        ),
        calls.CONTAINS: Picture(
            "three", "What retry, breaker and bulkhead add", "nanoseconds over the bare call"
        ),
    },
    group=grouped(),
)
